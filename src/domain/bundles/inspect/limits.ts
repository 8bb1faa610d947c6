import { sliceBounds } from '../../../nebula/bundle/slice-bounds.ts'

/** The limits of a config bundle, in bytes unless stated otherwise. Exceeding one is refused with a LimitError. */

const KiB = 1024
const MiB = 1024 * KiB

/** The archive as uploaded and as stored. */
export const maxCompressed = sliceBounds.packed

/** The unpacked tar with headers and padding, counted as it streams, since headers can lie. */
export const maxUnpacked = sliceBounds.unpacked

/** Files and folders together. A cluster of 10 000 nodes has two files per node, and the few that all nodes share. */
export const maxEntries = 20_480

/** A path, in bytes of UTF-8: the longest name on the strictest file system of the agents' machines. */
export const maxPath = 255

/** Segments of a path. Limits how many folders the table of names stores for one entry. */
export const maxSegments = 8

/** A pax or GNU header that extends the next one. Bundles need a path there; macOS adds extended attributes. */
export const maxExtendedHeader = 64 * KiB

/**
 * One YAML file. Parsing needs the whole file in memory and takes up to a second.
 * 1 MiB holds a blocklist of 15 000 fingerprints; a node's own file has less than 1 KiB.
 */
export const maxYaml = MiB

/**
 * Lexemes (scalars, indicators, line breaks, indents) of one YAML file, at about 3 µs each. Bytes do not measure the
 * work: `[1,1,1…` has seventeen times as many lexemes per megabyte as a list of fingerprints.
 */
export const maxYamlLexemes = 150_000

/** Lexemes of all YAML files of one archive: 10 000 nodes' files of 200 each. */
export const maxBundleLexemes = 2_000_000

/**
 * YAML files are sent to their thread in batches of this many bytes: one message per file costs more than the check.
 */
export const yamlBatch = 256 * KiB

/** Nesting of YAML collections. Nebula's configuration needs six levels; parsers recurse. */
export const maxYamlDepth = 64

/** Values of a YAML file once every alias is expanded. */
export const maxYamlValues = 150_000

/**
 * Bytes that are read, decompressed and hashed at once: about a millisecond of work between two ticks of the event
 * loop.
 */
export const chunkSize = 64 * KiB

/** A limit as a refusal shows it. */
export function mebibytes(bytes: number): string {
  return `${bytes / MiB} MiB`
}
