/**
 * The media type of a file by its name, and whether a browser may show it. What strangers share must not run as a page of
 * ours: only what cannot hold scripts has its own type.
 */
const SHOWN: Readonly<Record<string, string>> = {
  ...{
    mp4: 'video/mp4',
    m4v: 'video/mp4',
    webm: 'video/webm',
    mkv: 'video/x-matroska',
    mov: 'video/quicktime',
  },
  ...{ avi: 'video/x-msvideo', ogv: 'video/ogg', mpg: 'video/mpeg', mpeg: 'video/mpeg', ts: 'video/mp2t' },
  ...{ mp3: 'audio/mpeg', m4a: 'audio/mp4', aac: 'audio/aac', ogg: 'audio/ogg', oga: 'audio/ogg' },
  ...{ opus: 'audio/ogg', flac: 'audio/flac', wav: 'audio/wav' },
  ...{ jpg: 'image/jpeg', jpeg: 'image/jpeg', png: 'image/png', gif: 'image/gif', webp: 'image/webp' },
  ...{ avif: 'image/avif', bmp: 'image/bmp' },
  ...{ txt: 'text/plain; charset=utf-8', srt: 'text/plain; charset=utf-8', vtt: 'text/vtt; charset=utf-8' },
};
const DOWNLOADED: Readonly<Record<string, string>> = {
  ...{ pdf: 'application/pdf', zip: 'application/zip', gz: 'application/gzip', tar: 'application/x-tar' },
  ...{ '7z': 'application/x-7z-compressed', json: 'application/json', epub: 'application/epub+zip' },
};
const UNKNOWN = 'application/octet-stream';

export function mediaType(name: string): { readonly type: string; readonly isShown: boolean } {
  const extension = /\.([a-z0-9]{1,8})$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  const shown = Object.hasOwn(SHOWN, extension) ? SHOWN[extension] : undefined;
  if (shown !== undefined) return { type: shown, isShown: true };
  const type = Object.hasOwn(DOWNLOADED, extension) ? DOWNLOADED[extension]! : UNKNOWN;
  return { type, isShown: false };
}

/** Content-Disposition (RFC 6266): an ASCII form for old programs, and the name itself encoded. */
export function disposition(name: string, isShown: boolean): string {
  const ascii = name.replace(/[^ -~]|["\\%;]/g, '_');
  // Through bytes: half a surrogate pair would make encodeURIComponent throw.
  const encoded = encodeURIComponent(Buffer.from(name).toString()).replace(
    /['()*!]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${isShown ? 'inline' : 'attachment'}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
