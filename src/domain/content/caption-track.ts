/** A caption track, as YouTube's player lists it. */
export interface CaptionTrack {
  url: string;
  /** BCP 47; empty if the player does not say. */
  language: string;
  /** Whether speech recognition made it, hence in the spoken language. */
  fromSpeech: boolean;
  /** Whether it holds only what is said in other languages than the rest. */
  forced: boolean;
}

/** An audio track, and the captions that belong to it. Numbers are places in the list of captions. */
export interface AudioTrack {
  /** `<language>.<kind>` if a video has several; kind 4 is the original, others are dubbed or described. */
  id?: string | undefined;
  captions?: readonly number[] | undefined;
  defaultCaptions?: number | undefined;
}

/** The captions of a video. A track that cannot be read is undefined, so that the others keep their places. */
export interface CaptionList {
  tracks: ReadonlyArray<CaptionTrack | undefined>;
  audio: readonly AudioTrack[];
  defaultAudio?: number | undefined;
  /** Place of the track that YouTube translates from. */
  translationSource?: number | undefined;
}

const ORIGINAL = /^(.+)\.4$/;
const TRANSLATED = /[?&]tlang=/;

/**
 * Returns the track of the spoken language. Prefers tracks made by a person to those made by a machine, and the default to others. If
 * the list does not tell the language, returns the player's default. Returns a translation only if there is nothing else.
 * @param audioLanguage the spoken language, if it is known from elsewhere.
 */
export function spokenTrack(list: CaptionList, audioLanguage: string | null): CaptionTrack | undefined {
  const { tracks, audio } = list;
  const original = audio.find(({ id }) => ORIGINAL.test(id ?? '')) ?? audio[list.defaultAudio ?? 0] ?? audio[0];
  const own = original?.captions?.map((place) => tracks[place]).filter((track) => track !== undefined) ?? [];
  const present = tracks.filter((track) => track !== undefined);
  const written = notTranslated(own.length > 0 ? own : present);
  const preset = tracks[original?.defaultCaptions ?? -1];
  const language =
    ORIGINAL.exec(original?.id ?? '')?.[1] ??
    [...written, ...present].find((track) => track.fromSpeech && !TRANSLATED.test(track.url))?.language ??
    audioLanguage ??
    preset?.language ??
    tracks[list.translationSource ?? -1]?.language ??
    '';
  const spoken = [...written, ...notTranslated(present)].filter((track) => sameLanguage(track.language, language));
  const rank = (track: CaptionTrack) =>
    [track.forced, track.fromSpeech, track !== preset, track.language !== language].map(Number).join('');
  const best = spoken.toSorted((a, b) => rank(a).localeCompare(rank(b)))[0];
  const usual = preset && !TRANSLATED.test(preset.url) ? preset : undefined;
  return best ?? usual ?? written.find((track) => !track.forced) ?? written[0];
}

function notTranslated(tracks: CaptionTrack[]): CaptionTrack[] {
  const written = tracks.filter((track) => !TRANSLATED.test(track.url));
  return written.length > 0 ? written : tracks;
}

/** Says whether two languages are the same; en-US is English too. */
function sameLanguage(one: string, other: string): boolean {
  const primary = (language: string) => language.toLowerCase().split(/[-_]/)[0];
  return one !== '' && primary(one) === primary(other);
}
