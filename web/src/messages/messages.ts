import { Store, useStore } from '../api/store.ts'
import { de } from './de.ts'
import { en, type Messages } from './en.ts'

const languages = { en, de } satisfies Record<string, Messages>

export type Language = keyof typeof languages

/** Where the choice is kept; without one, the browser's language counts. */
const place = 'orrery-language'

const isLanguage = (text: string | null): text is Language => text === 'en' || text === 'de'

function first(): Language {
  const kept = localStorage.getItem(place)
  if (isLanguage(kept)) return kept
  return navigator.language.startsWith('de') ? 'de' : 'en'
}

const chosen = new Store<Language>(first())
document.documentElement.lang = chosen.get()

/** Every language with its own name. */
export const languageNames = Object.entries(languages).map(([value, { language }]) => ({ value, label: language }))

export const useLanguage = (): Language => useStore(chosen)
export const useMessages = (): Messages => languages[useLanguage()]

export function chooseLanguage(language: string): void {
  if (!isLanguage(language)) return
  localStorage.setItem(place, language)
  document.documentElement.lang = language
  chosen.set(language)
}
