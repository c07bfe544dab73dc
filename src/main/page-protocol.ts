import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { assetAt } from '#host/assets.ts';
import type { AssetOptions } from '#host/assets.ts';
import { RESOURCE_POLICY, SECURITY_HEADERS } from '#host/content-policy.ts';
import type { Log } from '#host/log.ts';
import { StudioError } from '#shared/errors.ts';
import { SCHEME, isOurPage } from './sender.ts';

/** For protocol.registerSchemesAsPrivileged, before the app is ready. */
export const SCHEME_PRIVILEGES = {
  scheme: SCHEME,
  // standard and secure: a real origin, with storage and workers; no service workers, no CORS from elsewhere.
  privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true, codeCache: true },
};

/** Answers requests for spatext://app/...: the built interface and blobs, nothing else of the disk. */
export function pageProtocol(options: AssetOptions, log: Log): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD')
        throw new StudioError('bad-use', `a ${request.method} request`);
      if (!isOurPage(request.url)) throw new StudioError('refused', `a request for ${request.url.slice(0, 100)}`);
      const asset = await assetAt(new URL(request.url), options, request.headers.get('if-none-match') ?? undefined);
      const { body } = asset;
      const content =
        body === null || request.method === 'HEAD'
          ? null
          : body instanceof Uint8Array
            ? new Uint8Array(body)
            : (Readable.toWeb(createReadStream(body.file)) as ReadableStream);
      return new Response(content, { status: asset.status, headers: { ...asset.headers } });
    } catch (thrown) {
      const error = StudioError.from(thrown);
      if (error.code !== 'not-found') log.warning(`page: refused: ${error.message}`);
      const status =
        error.code === 'not-found' ? 404 : error.code === 'refused' ? 403 : error.code === 'bad-use' ? 405 : 500;
      return new Response(error.message, {
        status,
        headers: { ...SECURITY_HEADERS, 'Content-Security-Policy': RESOURCE_POLICY, 'Content-Type': 'text/plain' },
      });
    }
  };
}
