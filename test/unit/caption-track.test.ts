import { describe, expect, it } from 'vitest';
import {
  type AudioTrack,
  type CaptionList,
  type CaptionTrack,
  spokenTrack,
} from '../../src/domain/content/caption-track.ts';

/** `en`: written by a person; `en*`: from speech; `en!`: forced; `en>de`: translated; `-`: cannot be read. */
const track = (given: string): CaptionTrack | undefined => {
  if (given === '-') return undefined;
  const [language = '', translated] = given.replace(/[*!]/, '').split('>');
  return {
    url: `/api/timedtext?lang=${language}${translated ? `&tlang=${translated}` : ''}`,
    language: translated ?? language,
    fromSpeech: given.includes('*'),
    forced: given.includes('!'),
  };
};
const list = (tracks: string, audio: AudioTrack[] = [], more: Partial<CaptionList> = {}): CaptionList => ({
  tracks: tracks.split(' ').map(track),
  audio,
  ...more,
});
const english = (defaultCaptions: number) => [{ defaultCaptions }];

describe('the captions of what is spoken', () => {
  it.each<[string, CaptionList, string | null, string]>([
    ['are the only ones', list('de'), null, 'de'],
    ['are those that the player names', list('ar en-US en*', english(1)), null, 'en-US'],
    [
      'are named by their place among all, not among those of the sound',
      list('ar fr en', [{ captions: [2, 0], defaultCaptions: 2 }]),
      null,
      'en',
    ],
    ['are in the language of speech recognition', list('ar en-US en*'), null, 'en-US'],
    ['are made by a person before they are made by a machine', list('ar en* en'), null, 'en'],
    ['are made by a machine where there is nothing else', list('ar fr en*'), null, 'en*'],
    ['are of the language, whatever the default', list('ar en*', english(0)), null, 'en*'],
    ['are of the same kind of a language, if there is one', list('pt-BR pt-PT pt-PT*'), null, 'pt-PT'],
    ['are the default among those of the language', list('es es-419 es*', english(1)), null, 'es-419'],
    ['are in the language that the owner has told', list('ar ja de'), 'ja-JP', 'ja'],
    ['are the default, if nobody has told the language', list('ar de', english(1)), null, 'de'],
    ['are those that others are translated from', list('ar de', [], { translationSource: 1 }), null, 'de'],
    ['are no translation', list('en>de en*'), null, 'en*'],
    ['are no translation, although the player names it', list('en>de en', english(0)), null, 'en'],
    ['are a translation where there is nothing else', list('en>de'), null, 'en>de'],
    ['are not those of the foreign parts', list('en! en*'), null, 'en*'],
    [
      'are those of the default sound',
      list('de* en*', [{ captions: [0] }, { captions: [1] }], { defaultAudio: 1 }),
      null,
      'en*',
    ],
    [
      'are those of the original sound',
      list(
        'de* en*',
        [
          { id: 'de.10', captions: [0] },
          { id: 'en-US.4', captions: [1] },
        ],
        { defaultAudio: 0 },
      ),
      null,
      'en*',
    ],
    ['are found beside what cannot be read', list('- ar en-US en*', english(2)), null, 'en-US'],
    [
      'are the first where places lead nowhere',
      list('ar de', [{ captions: [7], defaultCaptions: 9 }], { defaultAudio: 3 }),
      null,
      'ar',
    ],
  ])('%s', (_, given, told, expected) => {
    expect(spokenTrack(given, told)).toEqual(track(expected));
  });

  it('are none where there are none', () => {
    expect(spokenTrack(list('-'), 'en')).toBeUndefined();
    expect(spokenTrack({ tracks: [], audio: [] }, null)).toBeUndefined();
  });
});
