import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processContent } from '../../src/activities/process-content.ts';
import { LocalModel } from '../../src/integrations/content/local-model.ts';
import type { ContentStore } from '../../src/store/content/content-store.ts';
import { answerSearch, type EmbedQuery } from '../../src/store/content/search-answer.ts';
import { type OpenStore, openContentStore } from '../world/content-stores.ts';
import { attempt, saveText } from '../world/content-world.ts';

/** A text of each kind, and what it is found by. What is not said to be another's is found first. */
const TEXTS: Record<string, [text: string, ...queries: string[]]> = {
  bread: [
    '今天我们学习如何在家里烤面包。先把面粉和水混合，然后发酵三个小时。',
    '面包',
    '面粉',
    '烤',
    '烤面包',
    '如何烤面包',
    '发酵三个小时',
  ],
  tide: [
    '月球的引力牵引着海水，于是每天有两次涨潮和两次落潮。科学家在海边测量水位的变化，并记录下来。',
    '涨潮',
    '落潮',
    '引力',
    '月球 海水',
    '科学家',
  ],
  owl: ['猫头鹰在夜里捕食老鼠，它们的翅膀几乎没有声音。', '猫头鹰', '老鼠', '翅膀', '捕食老鼠'],
  traditional: ['臺灣的夜市賣很多小吃', '夜市', '小吃', '臺灣'],
  cherry: ['東京の桜は三月の終わりに咲きます。', '桜', '東京', '三月', '咲きます'],
  computer: ['新しいコンピューターでプログラムを書いた', 'コンピューター', 'ﾌﾟﾛｸﾞﾗﾑ', '書いた'],
  korean: ['서울에서 맛있는 김치찌개를 먹었습니다', '서울', '김치', '김치찌개', '김치찌개는', '맛있는'],
  thai: ['แมวของฉันชอบกินปลาและนอนหลับทั้งวัน', 'ปลา', 'แมว', 'นอนหลับ', 'กินปลา'],
  lao: ['ຂ້ອຍມັກກິນເຂົ້າໜຽວ', 'ເຂົ້າໜຽວ'],
  khmer: ['ខ្ញុំចូលចិត្តអានសៀវភៅ', 'សៀវភៅ'],
  burmese: ['ကျွန်တော်စာအုပ်ဖတ်ရတာကြိုက်တယ်', 'စာအုပ်'],
  hindi: ['मेरी दादी हर सुबह चाय बनाती हैं।', 'चाय', 'दादी', 'सुबह चाय'],
  tamil: ['என் வீட்டில் ஒரு பூனை இருக்கிறது', 'பூனை'],
  arabic: ['الكِتَابُ على الطاولة في المكتبة', 'الكتاب', 'الكِتَابُ', 'الطاولة'],
  hebrew: ['שָׁלוֹם לכל הילדים בגן', 'שלום', 'הילדים'],
  persian: ['او به خانه می‌رود', 'میرود', 'خانه'],
  russian: ['Ёжик вышел из тумана и увидел лошадь', 'ежик', 'ЛОШАДЬ', 'тумана'],
  greek: ['Ο ΟΔΥΣΣΕΥΣ γύρισε στην Ιθάκη', 'Οδυσσεύς', 'ιθακη'],
  turkish: ['İstanbul Boğazı çok güzel', 'istanbul', 'ISTANBUL', 'boğazı', 'bogazi'],
  vietnamese: ['Hôm nay trời đẹp ở Đà Nẵng', 'đà nẵng', 'da nang', 'trời đẹp'],
  german: [
    'Die Straßenbahn fährt zur Donaudampfschifffahrtsgesellschaft',
    'strassenbahn',
    'STRASSENBAHN',
    'Straßenbahn',
    'fahrt',
    'donaudampfschifffahrtsgesellschaft',
  ],
  french: ["L'été, nous mangeons une crème brûlée à l'œuf", 'creme brulee', 'crème brûlée', 'été', 'oeuf', "l'œuf"],
  danish: ['Smørrebrød spises på en båd', 'smorrebrod', 'Smørrebrød'],
  accents: ['The naïve résumé of a café owner named Zoë', 'naive', 'cafe', 'résumé', 'ZOE'],
  hyphens: [
    'A well-known, state-of-the-art e-mail client',
    'well-known',
    'well known',
    'state-of-the-art',
    'e-mail',
    'email',
    'emails',
    'client',
  ],
  numbers: ['Pi is 3.14159 and the year was 1987, on 2026-11-29 at 10:30', '3.14159', '1987', '2026-11-29', '10:30'],
  versions: ['Fixed CVE-2024-3094 in release v5.6.1-rc2', 'CVE-2024-3094', 'v5.6.1-rc2', 'cve', '5.6.1'],
  code: [
    'Call getUserName() of user_profile_service in src/store/user.ts',
    'getUserName',
    'getusername',
    'user_profile_service',
    'src/store/user.ts',
    'user.ts',
  ],
  languages: ['She writes C++ and C# on node.js, not .NET', 'C++', 'C#', 'node.js', '.NET'],
  addresses: [
    'Write to jane.doe@example.org or see https://example.org/docs/start#top',
    'jane.doe@example.org',
    'example.org/docs',
    'https://example.org/docs/start',
  ],
  emoji: ['We went to the beach 🏖️ and ate 🍕 with 👨‍👩‍👧', '🍕', '🏖', '🏖️', '👨‍👩‍👧'],
  signs: ['It costs €40 ★★★ ©', '€', '★', '€40'],
  mixed: ['我用iPhone拍了一张照片 and posted it on Instagram', 'iPhone', '照片', 'iphone 照片', 'instagram'],
  full: ['ＦＵＬＬＷＩＤＴＨ　letters and ﬁne ligatures', 'fullwidth', 'fine ligatures'],
  gigantic: [`${'x'.repeat(3_000)}y is one word`, 'x'.repeat(3_000), `${'x'.repeat(3_000)}y`],
  hamlet: [
    'To be, or not to be, that is the question: whether it is nobler',
    'to be or not to be',
    '"or not to be"',
    'nobler',
  ],
  stops: ['The who and the what of it all', '"the who"', 'the who and the what'],
  sailing: ['They were sailing at night', 'sailing', 'sails'],
  organ: ['An organ in the church', 'organ', 'church organ'],
  organization: ['An organization of the state', 'organization'],
  quoted: ['The red house stands beside a green one', '"red house"', 'red house'],
  unquoted: ['The house is red, its red roof is new, a house of red bricks'],
  apostrophe: ['The king’s horses can’t stop', "king's", 'king', "can't", 'can’t'],
};
const CASES = Object.entries(TEXTS).flatMap(([id, [, ...queries]]) => queries.map((query) => [query, id] as const));

/** By words alone, and by words and meaning. */
const KINDS = [
  ['embedded Postgres', true],
  ['Postgres server without pgvector', false],
  ['embedded SurrealDB', true],
  ['SurrealDB server', false],
] as const;

describe.each(KINDS)('a text is found by the words that stand in it (%s)', (name, hybrid) => {
  let store: OpenStore;
  let content: ContentStore;
  const model = new LocalModel();
  const embedQuery: EmbedQuery = async (text) => ({
    model: model.name,
    values: (await model.embed([text], 'query', new AbortController().signal))[0] ?? [],
  });
  beforeAll(async () => {
    store = await openContentStore(name);
    content = store.content;
    for (const [id, [text]] of Object.entries(TEXTS)) {
      await saveText(content, id, text);
      if (hybrid) {
        await processContent(
          { content, embedding: model, summary: undefined },
          { content_id: id, operations: ['embed'] },
          attempt(),
        );
      }
    }
  });
  afterAll(() => Promise.all([store.close(), model.close()]));

  const search = async (query: string) =>
    (await answerSearch(content, hybrid ? embedQuery : undefined, { query, limit: 10 })).results.map(
      ({ content_id }) => content_id,
    );

  it.each(CASES)('%s', async (query, id) => {
    expect((await search(query)).slice(0, 2)).toEqual([id, ...(await search(query)).slice(1, 2)]);
  });

  it.each(['!?', '...', '"""', '()&|!:*<->', "'", '\\', '-', '​', '\u0301'])(
    '%j asks for no word, and finds none',
    async (query) => {
      expect(await search(query)).toEqual([]);
    },
  );

  it('may be any text, and is then found by any of its words', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.lorem(),
    );
    await fc.assert(
      fc.asyncProperty(text, fc.nat(), async (given, pick) => {
        const stored = given.replaceAll('\u0000', '').toWellFormed();
        await saveText(content, 'web:any', stored);
        const words = stored
          .normalize('NFKC')
          .split(/[\p{P}\p{Z}\p{S}\p{C}]+/u)
          .filter((word) => /[\p{L}\p{N}]/u.test(word));
        const word = words[pick % words.length];
        if (word === undefined) return;
        const { results } = await answerSearch(content, undefined, { query: word, limit: 100 });
        expect(
          results.map(({ content_id }) => content_id),
          JSON.stringify({ word, stored }),
        ).toContain('web:any');
      }),
      { seed: 17, numRuns: 150 },
    );
  });

  it('is found by a long query that has its words', async () => {
    const filler = Array.from({ length: 900 }, (_, index) => `filler${index}`).join(' ');
    expect((await search(`${filler} 猫头鹰`.slice(-10_000)))[0]).toBe('owl');
    expect((await search(`${'面'.repeat(5_000)} nobler`))[0]).toBeDefined();
  });
});
