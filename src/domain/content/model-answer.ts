/** Names of the tags that models put their thoughts in before they answer. */
const THOUGHTS =
  'think|thinking|thought|thoughts|reason|reasoning|reflection|analysis|scratchpad|inner_monologue|seed:think';

/** The beginning and end of a block of thoughts: `<think>`, `[THINK]`, `◁think▷`, `<|begin_of_thought|>`, `<|START_THINKING|>`. */
const OPENING = `(?:<\\s*(?:${THOUGHTS})(?:\\s[^<>]*)?>|\\[THINK\\]|◁think▷|<\\|(?:begin_of_thought|START_THINKING)\\|>)`;
const CLOSING = `(?:<\\s*/\\s*(?:${THOUGHTS})\\s*>|\\[/THINK\\]|◁/think▷|<\\|(?:end_of_thought|END_THINKING)\\|>)`;

/** The beginning of the channel that gpt-oss answers in; its thoughts come before. */
const FINAL_CHANNEL = /^[\s\S]*<\|channel\|>\s*final\s*(?:<\|constrain\|>\w*)?<\|message\|>/;
/** Marks of chat templates that a model's server did not remove. */
const MARKS = /<\|[a-z_]+\|>|<\/?s>|<(?:end_of_turn|start_of_turn)>|\[\/?INST\]/gi;

/** The word for a summary in the languages that models answer in. */
const SUMMARY =
  'summar(?:y|ies|ized|ised)|tl;?dr|résumé|resume|synthèse|zusammenfassung|kurzfassung|resumen|síntesis|riassunto|sintesi|resumo|síntese|samenvatting|sammanfattning|sammendrag|resumé|yhteenveto|streszczenie|podsumowanie|özet|краткое (?:содержание|изложение)|резюме|стислий виклад|摘要|总结|總結|概要|概述|要約|まとめ|요약|ملخص|الملخص|תקציר|सारांश|สรุป|tóm tắt|ringkasan';
/** `Summary:`, `**Summary**`, `## Summary` alone on its line, and the same in other languages. */
const LABEL = new RegExp(
  `^(?:#{1,6}\\s*)?[*_]{0,3}(?:(?:short|brief|concise|final)\\s+)?(?:${SUMMARY})[*_]{0,3}(?:\\s*[:：][*_]{0,3}\\s*|\\s*\\n+)`,
  'iu',
);
/** `Sure! Here is a summary of the text in at most 150 words:` */
const PREAMBLE = new RegExp(
  `^[^\\n:：]{0,200}(?:${SUMMARY}|\\bhere(?:'s| is)\\b)[^\\n:：]{0,160}[:：]\\s*(?:\\n+|(?=\\S))`,
  'iu',
);
const NAMES_SUMMARY = new RegExp(SUMMARY, 'iu');
const POLITE =
  /^(?:#{1,6}\s*)?[*_]{0,3}(?:sure|certainly|of course|absolutely|okay|ok|here|below|the following|this is|voici|bien sûr|hier|gerne|natürlich|aquí|claro|por supuesto|ecco|certo|aqui|natuurlijk|вот|конечно|以下|好的|当然|這是|这是|下面|はい|다음|물론|네)(?![\p{L}\p{N}])|^(?:以下|下面|这是|這是|다음)/iu;
/** The beginning of a line that models add after an answer. */
const FAREWELL =
  /^\s*[(*_]{0,3}(?:let me know|i hope (?:this|that)|feel free|would you like|is there anything|do you want|word count|\d+ words)/i;

/** How many layers around an answer are removed. Models use a few; the time grows with each. */
const MOST_LAYERS = 16;

/**
 * Returns the text that was asked for from a model's answer. Removes thoughts in any notation, the fence around the text, the
 * sentence before it ("Here is the summary:") and the one after it.
 * @returns undefined if nothing is left, which is no answer.
 */
export function textOfAnswer(answer: string): string | undefined {
  let text = withoutThoughts(answer).replaceAll('\u0000', '').toWellFormed().replace(MARKS, '').trim();
  for (let layer = 0, before = ''; layer < MOST_LAYERS && before !== text; layer++) {
    before = text;
    text = withoutFarewell(unwrapped(withoutPreamble(text)));
  }
  return /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(text) ? text : undefined;
}

function withoutThoughts(answer: string): string {
  // The innermost first, since thoughts may hold thoughts.
  const block = new RegExp(`${OPENING}(?:(?!${OPENING})[\\s\\S])*?${CLOSING}`, 'gi');
  let text = answer.replace(FINAL_CHANNEL, '');
  for (let layer = 0, before = ''; layer < MOST_LAYERS && before !== text; layer++) {
    before = text;
    text = text.replace(block, '');
  }
  // Templates open the thoughts in the prompt, so an answer may have only their end.
  const end = new RegExp(`^[\\s\\S]*${CLOSING}`, 'i');
  // Thoughts without an end: the model had no tokens left for an answer.
  const open = new RegExp(`(?:${OPENING}|<\\|channel\\|>\\s*(?:analysis|commentary))[\\s\\S]*$`, 'i');
  return text.replace(end, '').replace(open, '');
}

function withoutPreamble(text: string): string {
  const labelled = text.replace(LABEL, '');
  if (labelled !== text) return labelled;
  const [preamble = ''] = PREAMBLE.exec(text) ?? [];
  const ownLine = /\n\s*$/.test(preamble);
  const isPreamble = NAMES_SUMMARY.test(preamble) ? ownLine || POLITE.test(preamble) : ownLine && POLITE.test(preamble);
  const rest = text.slice(preamble.length);
  return preamble !== '' && isPreamble && rest.trim() !== '' ? rest : text;
}

function withoutFarewell(text: string): string {
  const lines = text.split('\n');
  const last = lines.findLastIndex((line, index) => index === 0 || (line.trim() !== '' && !FAREWELL.test(line)));
  return lines
    .slice(0, last + 1)
    .join('\n')
    .trim();
}

/** Removes one layer around a whole answer: a fence, a tag or quotes. */
function unwrapped(text: string): string {
  const [, fenced] = /^(?:```|~~~)[^\n`]*\n([\s\S]*?)(?:```|~~~)$/.exec(text) ?? [];
  if (fenced !== undefined && !fenced.includes('```')) return fenced.trim();
  const [, , tagged] =
    /^<(answer|summary|response|output|final|final_answer|result)>([\s\S]*?)(?:<\/\1>\s*)?$/i.exec(text) ?? [];
  if (tagged !== undefined) return tagged.trim();
  const [, quoted] = /^["“«「]([^"“”«»「」]+)["”»」]$/.exec(text) ?? [];
  return (quoted ?? text).trim();
}
