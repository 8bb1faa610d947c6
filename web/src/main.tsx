import '@fontsource-variable/inter/wght.css'
import './kit/mantine.css'
import './kit/page.css'
import { createRoot } from 'react-dom/client'

import { App } from './app/App.tsx'
import { nonce } from './app/nonce.ts'

// Read by what makes style elements at run time, such as the lock of the scrolling behind a dialog.
Object.assign(globalThis, { __webpack_nonce__: nonce })

// A page that was open while the server was replaced asks for files that are gone: the new page names the new ones. One
// that has just been loaded is not loaded again, which would go on for ever.
addEventListener('vite:preloadError', () => {
  if (performance.now() > 10_000) location.reload()
})

const root = document.querySelector('#root')
if (root === null) throw new Error('index.html has no element with the id "root".')
createRoot(root).render(<App />)
