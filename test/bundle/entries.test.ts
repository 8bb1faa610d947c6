import { describe, expect, test } from '@jest/globals'
import { invalid, invalidArchive, paxRecord, rawBundle, rawEntry, rawHeader, refusal, bundleOf } from './support.ts'

describe('only regular files and folders', () => {
  test.each([
    ['1', 'is a hard link'],
    ['2', 'is a symbolic link'],
    ['3', 'is a character device'],
    ['4', 'is a block device'],
    ['6', 'is a FIFO'],
    ['7', 'is of an unknown kind'],
    ['S', 'is a sparse file'],
    ['V', 'is of an unknown kind'],
    ['D', 'is of an unknown kind'],
    ['\x01', 'is of an unknown kind'],
  ])('an entry of type %j is refused', async (type, reason) => {
    const archive = rawBundle(rawEntry({ name: 'nodes/a.yml', type }))
    expect(await refusal(archive)).toBe(invalid('nodes/a.yml', `${reason}; only files and folders are allowed`))
  })

  test('a link with a long target is refused by its own name', async () => {
    const target = rawEntry({ name: '././@LongLink', type: 'K' }, `${'/x'.repeat(99)}\0`)
    const archive = rawBundle(target, rawEntry({ name: 'a', type: '2' }))
    expect(await refusal(archive)).toBe(invalid('a', 'is a symbolic link; only files and folders are allowed'))
  })

  test('a sparse file in pax clothes is refused', async () => {
    const pax = paxRecord('GNU.sparse.major', '1') + paxRecord('path', 'a.bin')
    const archive = rawBundle(rawEntry({ name: 'PaxHeader', type: 'x' }, pax), rawEntry({ name: 'a.bin' }))
    expect(await refusal(archive)).toBe(invalid('a.bin', 'is a sparse file'))
  })

  test('a folder with content is refused: readers differ in whether it has any', async () => {
    const archive = rawBundle(rawEntry({ name: 'nodes/', type: '5' }, 'hidden'))
    expect(await refusal(archive)).toBe(invalid('nodes/', 'is a folder with content'))
  })

  test('an old file whose name ends in a slash is a folder, an old type NUL is a file', async () => {
    const archive = rawBundle(rawEntry({ name: 'nodes/', type: '\0' }), rawEntry({ name: 'nodes/x', type: '\0' }))
    expect(await refusal(archive)).toBe('accepted: config.yml nodes/x')
  })
})

describe('headers', () => {
  test('one with a wrong checksum is refused, with the place', async () => {
    const archive = rawBundle(rawHeader({ name: 'a', checksum: 1234 }))
    expect(await refusal(archive)).toBe(invalidArchive('is not a whole tar: there is no header after config.yml'))
  })

  test('one that is neither POSIX nor GNU is refused', async () => {
    const archive = rawBundle(rawHeader({ name: 'a', magic: 'other' }))
    expect(await refusal(archive)).toBe(invalidArchive('is not a whole tar: there is no header after config.yml'))
  })

  test('names in two parts are read', async () => {
    const name = `${'d'.repeat(60)}/${'f'.repeat(60)}`
    expect(await refusal(await bundleOf({ name }))).toBe(`accepted: config.yml ${name}`)
  })

  test('GNU headers and GNU long names are read', async () => {
    const name = `nodes/${'n'.repeat(120)}.txt`
    const magic = 'ustar  \0'
    const archive = rawBundle(
      rawEntry({ name: '././@LongLink', type: 'L', magic }, `${name}\0`),
      rawEntry({ name: name.slice(0, 100), magic }, 'x'),
    )
    expect(await refusal(archive)).toBe(`accepted: config.yml ${name}`)
  })

  test('pax names are read, with whatever a system adds to them', async () => {
    const name = `nodes/${'ü'.repeat(60)}.txt`
    const pax = paxRecord('mtime', '1.5') + paxRecord('path', name) + paxRecord('LIBARCHIVE.xattr.user.a', 'Zm9v')
    const archive = rawBundle(rawEntry({ name: 'PaxHeader', type: 'x' }, pax), rawEntry({ name: 'short' }, 'x'))
    expect(await refusal(archive)).toBe(`accepted: config.yml ${name}`)
    expect(await refusal(await bundleOf({ name, content: 'x' }))).toBe(`accepted: config.yml ${name}`)
  })

  test('a comment for all entries, as `git archive` writes it, is passed over; a name for all is refused', async () => {
    const global = (record: string): Buffer => rawEntry({ name: 'pax_global_header', type: 'g' }, record)
    expect(await refusal(rawBundle(global(paxRecord('comment', 'abc'))))).toBe('accepted: config.yml')
    const renaming = rawBundle(global(paxRecord('path', 'other')), rawEntry({ name: 'a' }))
    expect(await refusal(renaming)).toBe(invalidArchive('has a global header that renames every entry'))
  })

  test.each([
    ['no record at all', 'hello'],
    ['a length of nought', '0 a=b\n'],
    ['a negative length', '-6 a=b\n'],
    ['a length beyond the header', '99 a=b\n'],
    ['a length before the value', '3 a=b\n'],
    ['a line break before the value', '3 \n6 p=a\n'],
    ['no line break', '6 a=b '],
    ['no value', '5 ab\n'],
  ])('a pax header with %s is refused', async (_, pax) => {
    const archive = rawBundle(rawEntry({ name: 'PaxHeader', type: 'x' }, pax), rawEntry({ name: 'a' }))
    expect(await refusal(archive)).toBe(invalidArchive('has a damaged pax header'))
  })

  test('a second size, in a pax header, is refused', async () => {
    const pax = paxRecord('path', 'a.txt') + paxRecord('size', '3')
    const archive = rawBundle(rawEntry({ name: 'PaxHeader', type: 'x' }, pax), rawEntry({ name: 'a.txt' }, 'four'))
    expect(await refusal(archive)).toBe(invalid('a.txt', 'its size is in a pax header'))
  })

  test.each(['-0000000001', 'zzzzzzzzzzz', '\x80\0\0\0\0\0\0\0\0\0\0\x01', ''])('size %j is refused', async (size) => {
    const archive = rawBundle(rawHeader({ name: 'a.txt', size }))
    expect(await refusal(archive)).toBe(invalid('a.txt', 'its header has no valid size'))
  })

  test('a huge extended header is refused before it is read', async () => {
    const archive = rawBundle(rawHeader({ name: 'PaxHeader', type: 'x', size: 4 * 1024 * 1024 }))
    expect(await refusal(archive)).toBe(
      invalidArchive('has an extended header of more than 65536 bytes after config.yml'),
    )
  })

  test('a long name for nothing is refused', async () => {
    const archive = rawBundle(rawEntry({ name: '././@LongLink', type: 'L' }, 'nodes/a.yml\0'))
    expect(await refusal(archive)).toBe(invalidArchive('is not a whole tar: it ends before nodes/a.yml'))
  })

  test('bytes in the padding behind a file are refused: no file has them, so nothing would check them', async () => {
    const padded = rawEntry({ name: 'a.txt' }, 'text')
    padded[600] = 1
    expect(await refusal(rawBundle(padded))).toBe(invalidArchive('has bytes after a.txt'))
  })
})
