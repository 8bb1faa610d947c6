import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Where `npm run dev -w web` finds the API: a server that `npm start` runs. */
const server = 'http://127.0.0.1:4000'

/** The one nonce of the development server; the real server makes one for each answer. */
const nonce = 'development'

export default defineConfig(({ command }) => ({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The page's policy allows no `data:` but for images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  ...(command === 'serve' ? { html: { cspNonce: nonce } } : {}),
  server: {
    headers: {
      // The policy of the real server, and what only a development server needs: its own scripts' nonce and its socket.
      'content-security-policy': [
        "default-src 'none'",
        `script-src 'self' 'nonce-${nonce}'`,
        `style-src 'self' 'nonce-${nonce}'`,
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self' ws:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
      ].join('; '),
    },
    proxy: Object.fromEntries(['/graphql', '/sign-in', '/sign-out', '/clusters'].map((path) => [path, server])),
  },
}))
