/** A track of captions, as YouTube's player lists it. */
export interface CaptionTrack {
  url: string;
  /** BCP 47; empty where the player does not say. */
  language: string;
  /** Made by speech recognition, hence in the language that is spoken. */
  fromSpeech: boolean;
  /** Holds only what is said in other languages than the rest. */
  forced: boolean;
}

/** A sound track, and the captions that belong to it. Numbers are places in the list of captions. */
export interface AudioTrack {
  /** `<language>.<kind>` where a video has several; kind 4 is the original, others are dubbed or described. */
  id?: string | undefined;
  captions?: readonly number[] | undefined;
  defaultCaptions?: number | undefined;
}

/** The captions of a video. A place is undefined where a track cannot be read; the places of the others count on it. */
export interface CaptionList {
  tracks: ReadonlyArray<CaptionTrack | undefined>;
  audio: readonly AudioTrack[];
  defaultAudio?: number | undefined;
  /** From which YouTube translates. */
  translationSource?: number | undefined;
}

const ORIGINAL = /^(.+)\.4$/;
const TRANSLATED = /[?&]tlang=/;

/**
 * The track of the language that is spoken: made by a person before made by a machine, the default before others. If the
 * list does not tell the language, the player's default; never a translation where there is something else.
 * @param audioLanguage what is known from elsewhere about the spoken language.
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

/** en-US is English as well. */
function sameLanguage(one: string, other: string): boolean {
  const primary = (language: string) => language.toLowerCase().split(/[-_]/)[0];
  return one !== '' && primary(one) === primary(other);
}
