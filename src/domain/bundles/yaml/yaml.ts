import { Composer, isMap, Lexer, Parser, type Document, type ParsedNode } from 'yaml'
import { maxYamlDepth, maxYamlLexemes } from '../inspect/limits.ts'
import type { OverlaySettings } from './overlay-settings.ts'
import { findAgentSetting, findSettingProblem } from './settings.ts'
import { decodeYaml, lineAt, type YamlProblem } from './yaml-text.ts'
import { findValueProblem } from './yaml-values.ts'

/** The result of checking YAML files. */
export interface YamlReport {
  /** The first invalid file, by its index; null when all are valid. */
  readonly broken: ({ readonly index: number } & YamlProblem) | null
  /** The amount of work. */
  readonly lexemes: number
  /** The section `firewall` of the shared configuration, unchanged; null when it is not set. */
  readonly firewall: unknown
  /** Its settings that depend on the cluster's network; null when the file is invalid. */
  readonly overlay: OverlaySettings | null
}

/** The syntax tree as far as it was parsed, and the number of its lexemes. */
interface Parsed {
  readonly lexemes: number
  readonly result: Document.Parsed | { readonly offset: number; readonly reason: string }
}

/**
 * Checks the YAML files of a bundle, each by itself: UTF-8, one document without directives, a mapping at its top, no
 * duplicate keys, limited depth, size and aliases, no private key, no setting that belongs to the agent. The shared
 * configuration may contain only Nebula's settings.
 *
 * @param config the index of the shared configuration; null when the files do not contain it
 *
 * Parsing a large file takes a second. Call it through `checkYamlInThread`, off the event loop.
 */
export function checkYaml(files: readonly Uint8Array[], config: number | null = null): YamlReport {
  let total = 0
  let firewall: unknown = null
  let overlay: OverlaySettings | null = null
  for (const [index, content] of files.entries()) {
    const { problem, lexemes, ...file } = checkFile(content, index === config)
    total += lexemes
    if (problem !== null) return { broken: { index, ...problem }, lexemes: total, firewall: null, overlay: null }
    firewall ??= file.firewall
    overlay ??= file.overlay
  }
  return { broken: null, lexemes: total, firewall, overlay }
}

interface CheckedFile {
  readonly problem: YamlProblem | null
  readonly lexemes: number
  readonly firewall: unknown
  readonly overlay: OverlaySettings | null
}

function checkFile(content: Uint8Array, isConfig: boolean): CheckedFile {
  const text = decodeYaml(content)
  if (typeof text !== 'string') return { problem: text, lexemes: 0, ...nothing }
  const { lexemes, result } = parse(text)
  const found = 'offset' in result ? result : findProblem(result)
  const { problem, ...config } =
    found !== null || 'offset' in result || !isConfig ? { problem: found, ...nothing } : findSettingProblem(result)
  return { problem: problem && { line: lineAt(text, problem.offset), reason: problem.reason }, lexemes, ...config }
}

const nothing = { firewall: null, overlay: null }

function parse(text: string): Parsed {
  const lexer = new Lexer()
  const parser = new Parser()
  // The library compares every two keys of a mapping, which takes a minute for a large one: see findValueProblem.
  const composer = new Composer({ version: '1.2', schema: 'core', merge: false, strict: true, uniqueKeys: false })
  const tokens = []
  let lexemes = 0
  for (const lexeme of lexer.lex(text)) {
    lexemes += 1
    if (lexemes > maxYamlLexemes) {
      return { lexemes, result: { offset: parser.offset, reason: `has more than ${maxYamlLexemes} YAML tokens` } }
    }
    for (const token of parser.next(lexeme)) {
      // `%YAML 1.1` changes what the rest of the file means, `%TAG` what its tags mean.
      if (token.type === 'directive') {
        return { lexemes, result: { offset: token.offset, reason: 'has a YAML directive' } }
      }
      tokens.push(token)
    }
    if (parser.stack.length > maxYamlDepth) {
      return { lexemes, result: { offset: parser.offset, reason: `is nested deeper than ${maxYamlDepth} levels` } }
    }
  }
  tokens.push(...parser.end())
  const [first, second] = [...composer.compose(tokens, true, text.length)]
  if (first === undefined) throw new Error('the YAML composer gave no document where it is asked to always give one')
  const [error] = first.errors
  if (error !== undefined)
    return { lexemes, result: { offset: error.pos[0], reason: `is not valid YAML: ${error.message}` } }
  // Nebula reads the first document and silently ignores the others.
  if (second !== undefined)
    return { lexemes, result: { offset: second.range[0], reason: 'has a second YAML document' } }
  return { lexemes, result: first }
}

function findProblem(document: Document.Parsed): { offset: number; reason: string } | null {
  const root: ParsedNode | null = document.contents
  if (!isMap(root)) return { offset: root?.range[0] ?? 0, reason: 'is not a mapping at its top' }
  return findValueProblem(root) ?? findAgentSetting(document)
}
