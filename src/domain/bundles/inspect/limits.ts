import { sliceBounds } from '../../../nebula/bundle/slice-bounds.ts'

/** The bounds of a config bundle, in bytes where nothing else is said. What is above one is refused with a LimitError. */

const KiB = 1024
const MiB = 1024 * KiB

/** The archive as uploaded and as stored. */
export const MAX_COMPRESSED = sliceBounds.packed

/** The tar that comes out of it, headers and padding included, counted as it streams: headers lie. */
export const MAX_UNPACKED = sliceBounds.unpacked

/** Files and folders together. A cluster of 10 000 nodes has two files a node, and the few that all nodes share. */
export const MAX_ENTRIES = 20_480

/** A path, in bytes of UTF-8: what the strictest file system of the agents' machines takes as one name. */
export const MAX_PATH = 255

/** Segments of a path. Bounds what the table of names keeps for one entry: every folder above it. */
export const MAX_SEGMENTS = 8

/** A pax or GNU header that extends the next one. Ours need a path; macOS puts extended attributes there. */
export const MAX_EXTENDED_HEADER = 64 * KiB

/**
 * One YAML file. It has to be in memory whole to be parsed, and parsing one costs up to a second.
 * 1 MiB holds a blocklist of 15 000 fingerprints; a node's own file has less than 1 KiB.
 */
export const MAX_YAML = MiB

/**
 * Lexemes (scalars, indicators, line breaks, indents) of one YAML file, at about 3 µs each: bytes say little about the
 * work, since `[1,1,1…` has seventeen times as many in a megabyte as a list of fingerprints.
 */
export const MAX_YAML_LEXEMES = 150_000

/** Lexemes of all YAML files of one archive: 10 000 nodes' files of 200 each. */
export const MAX_BUNDLE_LEXEMES = 2_000_000

/** YAML files go to their thread once there are this many bytes of them: a journey for each costs more than the check. */
export const YAML_BATCH = 256 * KiB

/** Nesting of YAML collections. Nebula's configuration needs six levels; parsers recurse. */
export const MAX_YAML_DEPTH = 64

/** Values of a YAML file once every alias is replaced by what it stands for. */
export const MAX_YAML_VALUES = 150_000

/** How much is read, decompressed and hashed at once; about a millisecond of work between two turns of the event loop. */
export const CHUNK = 64 * KiB

/** A bound as a refusal shows it. */
export function mebibytes(bytes: number): string {
  return `${bytes / MiB} MiB`
}
