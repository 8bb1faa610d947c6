import * as z from 'zod'

import { jsonOf } from '../base/json.ts'
import { printableLine } from '../base/texts/printable.ts'
import { bounds } from './server/bounds.ts'

/** A line of Nebula's log. */
export interface NebulaLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  readonly msg: string
  readonly fields: Readonly<Record<string, unknown>>
  /** The message with the error that it carries. */
  readonly complaint: string
}

/** By name in lower case: Nebula 1.11 writes them in upper case, and has further ones. */
const levels: Readonly<Record<string, NebulaLine['level']>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  fatal: 'fatal',
  panic: 'fatal',
}

const levelOf = (name: string): NebulaLine['level'] => levels[name.toLowerCase()] ?? 'info'

/** Whether a line is a complaint of Nebula's. */
export const isComplaint = ({ level }: NebulaLine): boolean => level === 'error' || level === 'fatal'

const logged = jsonOf(z.looseObject({ level: z.string().default(''), msg: z.string() }))

/** A line of Nebula's log, which is JSON as soon as Nebula has read its configuration. */
export function lineOf(text: string): NebulaLine {
  const { data } = logged.safeParse(text)
  if (data === undefined) {
    // Before that, and when it panics, the line is plain text; so is any other JSON.
    const level = levelOf(/(?:^|\s)level=(\w+)/.exec(text)?.[1] ?? '')
    const said = printableLine(text, bounds.report)
    return { level, msg: said, fields: {}, complaint: said }
  }
  const { level, msg, ...fields } = data
  delete fields['time']
  const error = fields['error']
  const said = printableLine(msg, bounds.report)
  const complaint = printableLine(typeof error === 'string' ? `${said}: ${error}` : said, bounds.report)
  return { level: levelOf(level), msg: said, fields, complaint }
}

/** Nebula's last message, without the parts for machines. */
export function lastWords(output: string): string {
  const last = output.split('\n').findLast((line) => line.trim() !== '') ?? ''
  const { complaint } = lineOf(last)
  return (
    /msg="((?:[^"\\]|\\.)*)"(?:.* error="((?:[^"\\]|\\.)*)")?/.exec(complaint)?.slice(1).filter(Boolean).join(': ') ??
    complaint
  ).slice(0, 500)
}
