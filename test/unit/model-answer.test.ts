import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textOfAnswer } from '../../src/domain/content/model-answer.ts';
import { cpuMsOf } from '../world/cpu-time.ts';

const TIDES = 'The moon makes the tides.';

describe('the text of a model’s answer', () => {
  it.each([
    ['alone', TIDES],
    ['after its thoughts', `<think>\nLet me see what they want.\n</think>\n\n${TIDES}`],
    ['after no thoughts', `<think>\n\n</think>\n\n${TIDES}`],
    ['after thoughts in other words', `<thinking>Hm.</thinking>${TIDES}`],
    ['after reasoning', `<Reasoning effort="high">Hm.</Reasoning>\n${TIDES}`],
    ['after a reflection', `< reflection >Hm.< / reflection >${TIDES}`],
    ['after thoughts of Magistral', `[THINK]Hm.[/THINK]${TIDES}`],
    ['after thoughts of Kimi', `◁think▷Hm.◁/think▷${TIDES}`],
    ['after thoughts of Command A', `<|START_THINKING|>Hm.<|END_THINKING|>${TIDES}`],
    ['after thoughts of Seed', `<seed:think>Hm.</seed:think>${TIDES}`],
    [
      'after the channel of gpt-oss',
      `<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>${TIDES}`,
    ],
    ['after thoughts within thoughts', `<think>a<think>b</think>c</think>${TIDES}`],
    ['between thoughts', `<think>a</think>${TIDES}<think>b</think>`],
    ['after thoughts whose beginning is in the prompt', `Okay, they want a summary.\n</think>\n${TIDES}`],
    ['before thoughts without an end', `${TIDES}\n<think>But wait,`],
    ['in a fence', `\`\`\`\n${TIDES}\n\`\`\``],
    ['in a fence with a language', `\`\`\`markdown\n${TIDES}\n\`\`\``],
    ['in a tag', `<answer>\n${TIDES}\n</answer>`],
    ['in a tag without an end', `<summary>${TIDES}`],
    ['in quotes', `"${TIDES}"`],
    ['after a preamble', `Here is the summary:\n\n${TIDES}`],
    ['after a polite preamble', `Sure! Here's a concise summary of the text in under 150 words:\n\n${TIDES}`],
    ['after a preamble on its line', `Here is a summary of the text: ${TIDES}`],
    ['after a label', `Summary: ${TIDES}`],
    ['after a bold label', `**Summary:** ${TIDES}`],
    ['after a heading', `## Summary\n\n${TIDES}`],
    [
      'after all of them',
      `<think>Hm.</think>\nCertainly! Here is the summary:\n\`\`\`text\n**Summary:**\n"${TIDES}"\n\`\`\`\n\nLet me know if you need more!`,
    ],
    ['before a farewell', `${TIDES}\n\nI hope this helps!`],
    ['before several farewells', `${TIDES}\n\nI hope this helps!\n \n  *Let me know if you need more!*\n`],
    ['before a count', `${TIDES}\n\n(Word count: 5)`],
    ['before the marks of a template', `${TIDES}<|im_end|></s>`],
    ['with NUL and half a character', `\u0000${TIDES}`],
  ])('%s', (_, answer) => {
    expect(textOfAnswer(answer)).toBe(TIDES);
  });

  it.each([
    ['Zusammenfassung: Der Mond zieht am Meer.', 'Der Mond zieht am Meer.'],
    ['Hier ist eine Zusammenfassung des Textes:\n\nDer Mond zieht am Meer.', 'Der Mond zieht am Meer.'],
    ['Voici un résumé du texte :\n\nLa lune attire la mer.', 'La lune attire la mer.'],
    ['以下是文本的摘要：\n月球的引力牵引着海水。', '月球的引力牵引着海水。'],
    ['摘要：月球的引力牵引着海水。', '月球的引力牵引着海水。'],
    ['**要約**\n月の引力が海を引く。', '月の引力が海を引く。'],
    ['요약: 달이 바다를 끌어당긴다.', '달이 바다를 끌어당긴다.'],
    ['Краткое содержание: Луна притягивает море.', 'Луна притягивает море.'],
  ])('in the language of the text: %s', (answer, text) => {
    expect(textOfAnswer(answer)).toBe(text);
  });

  it.each([
    '',
    ' \n',
    '<think>Let me see',
    '<think>Let me see.</think>\n',
    '```\n```',
    '<|channel|>analysis<|message|>Hm.',
    '---',
  ])('is none in %j', (answer) => {
    expect(textOfAnswer(answer)).toBeUndefined();
  });

  it.each([
    'They think: the moon pulls. 3 < 4 > 2, and </b> is HTML.',
    'The summary judgment was upheld: the court found no fault.',
    'Tides: twice a day.\nCurrents: always.',
    'Here lies the sea: it rises.',
    'Use `npm test`, or:\n```\nnpm run verify\n```\nThat is all.',
    '"One," he said, "and another."',
    '- The moon pulls.\n- The sea rises.',
  ])('stays what it is: %j', (answer) => {
    expect(textOfAnswer(answer)).toBe(answer);
  });

  it('is not changed when it is read again, whatever it is', () => {
    const piece = fc.constantFrom(
      ...[
        '<think>',
        '</think>',
        '<thinking>',
        '[/THINK]',
        '```',
        '\n',
        ' ',
        'Summary:',
        'Here is',
        'the sea',
        '"',
        ':',
        '<answer>',
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = textOfAnswer(pieces.join(''));
        if (text !== undefined) expect(textOfAnswer(text)).toBe(text);
      }),
      { seed: 1 },
    );
  });

  it('is read in time that grows with its length', () => {
    for (const hostile of [
      '<think>'.repeat(20_000),
      '</think>'.repeat(20_000),
      '<think '.repeat(20_000),
      `${'<think>'.repeat(10_000)}${'</think>'.repeat(10_000)}`,
      `${'a '.repeat(50_000)}:`,
      `x\n${'\n'.repeat(20_000)}let me`,
      `\`\`\`\n${'\n'.repeat(20_000)}x`,
      `x${'\nLet me know'.repeat(20_000)}`,
      `${'~~~\n'.repeat(20_000)}${'~~~\n'.repeat(20_000)}`,
      '<answer>'.repeat(20_000),
      'Summary: '.repeat(20_000),
    ]) {
      expect(cpuMsOf(() => textOfAnswer(hostile))).toBeLessThan(2_000);
    }
  });
});
