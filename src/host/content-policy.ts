/** Put into index.html by the build wherever a nonce belongs; the shells write a fresh one in its place. */
export const NONCE_PLACEHOLDER = 'SPATEXT_NONCE';

/**
 * What the studio's page may load and run.
 * @param connect further places that it may connect to (the WebSocket)
 */
export const pagePolicy = (nonce: string, connect: readonly string[] = []): string =>
  [
    "default-src 'none'",
    // WebAssembly for the model on the graphics card; no eval, no inline script.
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' blob: data:",
    "font-src 'self'",
    ["connect-src 'self'", ...connect, 'blob:', 'data:'].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join('; ');

/** For everything that is not the page: shown by itself it may do nothing at all. */
export const RESOURCE_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox";

/**
 * For scripts: a worker lives under the policy that its script came with, and fetches the pixels of drawn bitmaps. It
 * may load no code and speak to nobody but the studio.
 */
export const SCRIPT_POLICY = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'";

/** The other headers of every answer. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), payment=()',
  'X-DNS-Prefetch-Control': 'off',
};
