import { maxEntries, maxPath, maxSegments } from './limits.ts'
import { archiveTooLarge, refuseFile, show } from './refusal.ts'

/** Names that Windows reserves for devices, with any extension (Win32 "Naming Files, Paths, and Namespaces"). */
const windowsDevice = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i

/**
 * The problem of an entry's name, or null. Agents run on Linux, macOS and Windows: a name must mean the same single
 * place on each, inside the folder that the bundle is unpacked to.
 */
function nameProblem(name: string): string | null {
  if (Buffer.byteLength(name) > maxPath) return `its name is longer than ${maxPath} bytes`
  if (name.startsWith('/')) return 'its name is an absolute path'
  if (/^[a-z]:/i.test(name)) return 'its name starts with a drive letter'
  if (name.includes('\\')) return 'its name has a backslash'
  // Cf: invisible characters, which some file systems ignore when they compare names. U+FFFD replaces undecodable
  // bytes.
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\ufffd]/u.test(name)) return 'its name has a control character'
  if (/[<>:"|?*]/.test(name)) return 'its name has one of <>:"|?*, which Windows does not allow'
  const segments = name.split('/')
  if (segments.length > maxSegments) return `its name has more than ${maxSegments} segments`
  for (const segment of segments) {
    if (segment === '') return 'its name has an empty segment'
    if (segment === '..') return 'its name has a .. segment'
    // A manifest maps names to files, and this name does not work as a key there.
    if (segment === '__proto__') return 'its name has a __proto__ segment'
    if (segment !== '.' && /[. ]$/.test(segment)) return 'its name has a segment that ends in a dot or a space'
    if (windowsDevice.test(segment)) return `its name has ${segment}, which is a device on Windows`
  }
  return null
}

/** The path without its `.` segments, so that `./config.yml` and `config.yml` are one; empty for the root itself. */
export function normalisePath(name: string): string {
  return name
    .split('/')
    .filter((segment) => segment !== '.')
    .join('/')
}

/** Gives the same text for two names that a file system of macOS or Windows cannot tell apart. */
export function foldedName(path: string): string {
  return path.toUpperCase().toLowerCase().normalize('NFC')
}

interface Taken {
  readonly path: string
  readonly type: 'file' | 'folder'
  /** Whether it has an entry; otherwise it is a folder that is implied by other entries. */
  readonly entry: boolean
}

/** The names found so far in an archive: each valid by itself, without conflicts between them. */
export class BundleNames {
  readonly #taken = new Map<string, Taken>()
  #entries = 0

  /**
   * Adds an entry's name and returns its normalised path; null for the root folder, which `tar -C folder .` writes.
   * @throws ValidationError when the name is refused or clashes; LimitError over maxEntries
   */
  add(name: string, type: 'file' | 'folder'): string | null {
    this.#entries += 1
    if (this.#entries > maxEntries) throw archiveTooLarge(`has more than ${maxEntries} files and folders`)
    const bare = type === 'folder' && name.endsWith('/') && name !== '/' ? name.slice(0, -1) : name
    const problem = nameProblem(bare)
    if (problem !== null) throw refuseFile(name, problem)
    const path = normalisePath(bare)
    if (path === '') {
      if (type === 'folder') return null
      throw refuseFile(name, 'its name is that of the root folder')
    }
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      this.#take({ path: path.slice(0, slash), type: 'folder', entry: false }, name)
    }
    this.#take({ path, type, entry: true }, name)
    return path
  }

  #take(wanted: Taken, name: string): void {
    const key = foldedName(wanted.path)
    const there = this.#taken.get(key)
    if (there !== undefined) {
      if (there.path !== wanted.path) {
        throw refuseFile(name, `${show(wanted.path)} and ${show(there.path)} are one name on macOS and Windows`)
      }
      if (there.type !== wanted.type) throw refuseFile(name, `${show(wanted.path)} is both a file and a folder`)
      if (there.entry && wanted.entry) throw refuseFile(name, 'is in the archive twice')
    }
    if (there === undefined || wanted.entry) this.#taken.set(key, wanted)
  }
}
