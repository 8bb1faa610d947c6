import { createHash } from 'node:crypto'
import type { CallerError } from '../../../base/errors.ts'
import { configFile } from '../../../nebula/bundle/manifest.ts'
import { readFirewall, type FirewallSection } from '../yaml/firewall-section.ts'
import { maxBundleLexemes, maxYaml, yamlBatch, mebibytes } from './limits.ts'
import { BundleNames } from './names.ts'
import type { OverlaySettings } from '../yaml/overlay-settings.ts'
import { archiveTooLarge, fileTooLarge, refuseArchive, refuseFile, show } from './refusal.ts'
import type { TarEvent } from './tar-reader.ts'
import { checkYamlInThread } from '../yaml/yaml-thread.ts'

/** A regular file of a bundle. */
export interface BundleFile {
  /** From the bundle's root, with `/` between segments and without `.` segments. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Of the content, in hexadecimal. */
  readonly sha256: string
}

/** A file that is being read. */
interface OpenFile {
  readonly path: string
  readonly size: number
  readonly hash: ReturnType<typeof createHash>
  /** The content of a YAML file; other files are only hashed. */
  readonly yaml: Uint8Array<ArrayBuffer> | null
  /** Bytes read. */
  read: number
}

/** Takes the entries of a bundle as they come out of the tar, and refuses entries that a bundle may not hold. */
export class BundleCheck {
  readonly #owner: string
  readonly #names = new BundleNames()
  readonly #files: BundleFile[] = []
  /** Where each entry begins in the tar, in order, to name the file that holds a private key. */
  readonly #places: { readonly offset: number; readonly name: string }[] = []
  #file: OpenFile | null = null
  /** YAML files that were read but not yet checked. */
  #unchecked: { readonly path: string; readonly content: Uint8Array<ArrayBuffer> }[] = []
  #uncheckedBytes = 0
  #lexemes = 0
  #firewall: FirewallSection = readFirewall(null)
  #overlay: OverlaySettings | null = null

  /** @param owner the tenant whose share of the threads it uses */
  constructor(owner: string) {
    this.#owner = owner
  }

  /** The firewall of the shared configuration. Known at the end. */
  get firewall(): FirewallSection {
    return this.#firewall
  }

  /** The settings of the shared configuration that depend on the cluster's network. Known at the end. */
  get overlay(): OverlaySettings | null {
    return this.#overlay
  }

  /** @throws ValidationError, LimitError */
  async take(event: TarEvent): Promise<void> {
    if (event.kind === 'entry') this.#open(event)
    if (this.#file === null) return
    if (event.kind === 'data') {
      this.#file.hash.update(event.bytes)
      this.#file.yaml?.set(event.bytes, this.#file.read)
      this.#file.read += event.bytes.length
    }
    if (event.kind === 'end') {
      await this.#close(this.#file)
      this.#file = null
    }
  }

  /** The refusal of a private key that begins `offset` bytes from the start of the tar. */
  refuseKey(offset: number): CallerError {
    const place = this.#places.findLast((entry) => entry.offset <= offset)
    return place === undefined
      ? refuseArchive('holds a private key in a header')
      : refuseFile(place.name, 'holds a private key; private keys never leave their machine')
  }

  /** Ends the entries. @throws ValidationError when the archive is not a bundle; LimitError */
  async end(): Promise<readonly BundleFile[]> {
    await this.#checkYaml()
    if (this.#files.length === 0) throw refuseArchive('has no file in it')
    if (!this.#files.some(({ path }) => path === configFile)) {
      const nested = this.#files.find(({ path }) => path.endsWith(`/${configFile}`))
      const hint =
        nested === undefined ? '' : ` (there is ${show(nested.path)}: pack what is in the folder, not the folder)`
      throw refuseArchive(`has no ${configFile} at its root${hint}`)
    }
    return this.#files.sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  #open(entry: Extract<TarEvent, { kind: 'entry' }>): void {
    this.#places.push({ offset: entry.offset, name: entry.name })
    const path = this.#names.add(entry.name, entry.type)
    if (path === null || entry.type === 'folder') return
    const isYaml = /\.ya?ml$/i.test(path)
    if (isYaml && entry.size > maxYaml) throw fileTooLarge(path, `is a YAML file larger than ${mebibytes(maxYaml)}`)
    this.#file = {
      path,
      size: entry.size,
      hash: createHash('sha256'),
      yaml: isYaml ? new Uint8Array(entry.size) : null,
      read: 0,
    }
  }

  async #close({ path, size, hash, yaml }: OpenFile): Promise<void> {
    this.#files.push({ path, size, sha256: hash.digest('hex') })
    if (yaml === null) return
    this.#unchecked.push({ path, content: yaml })
    this.#uncheckedBytes += size
    if (this.#uncheckedBytes >= yamlBatch) await this.#checkYaml()
  }

  async #checkYaml(): Promise<void> {
    const files = this.#unchecked
    this.#unchecked = []
    this.#uncheckedBytes = 0
    const [first] = files
    if (first === undefined) return
    const config = files.findIndex(({ path }) => path === configFile)
    const report = await checkYamlInThread(this.#owner, {
      files: files.map(({ content }) => content),
      config: config === -1 ? null : config,
    })
    if (report === null) throw fileTooLarge(first.path, 'it and the files after it take too long to be read as YAML')
    const { broken, lexemes, firewall, overlay } = report
    if (broken !== null) throw refuseFile(files[broken.index]?.path ?? '', `line ${broken.line} ${broken.reason}`)
    if (config !== -1) this.#firewall = readFirewall(firewall)
    this.#overlay ??= overlay
    this.#lexemes += lexemes
    if (this.#lexemes > maxBundleLexemes) throw archiveTooLarge(`has more than ${maxBundleLexemes} YAML tokens`)
  }
}
