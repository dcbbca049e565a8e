import { gunzipSync, inflateRawSync } from 'node:zlib';

/** Returns the content of the file with this base name in a zip archive (a Python wheel is one). @throws if it is not there. */
export function fileInZip(zip: Buffer, baseName: string): Buffer {
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0) throw new Error('not a zip archive');
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    if (name.split('/').at(-1) === baseName) {
      const header = zip.readUInt32LE(at + 42);
      const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
      const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20));
      return zip.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed);
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  throw new Error(`no ${baseName} in the archive`);
}

/** Does the same for a gzipped tar archive. */
export function fileInTarGz(archive: Buffer, baseName: string): Buffer {
  const tar = gunzipSync(archive);
  for (let at = 0; at + 512 <= tar.length; ) {
    const text = (start: number, length: number): string =>
      tar.toString('latin1', at + start, at + start + length).replace(/[\0 ].*$/s, '');
    const size = Number.parseInt(text(124, 12) || '0', 8);
    if (text(0, 100).split('/').at(-1) === baseName) return tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error(`no ${baseName} in the archive`);
}
