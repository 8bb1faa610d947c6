import { describe, expect, test } from '@jest/globals'
import { bundleOf, invalid, rawBundle, rawEntry, refusal } from './support.ts'

describe('a name means one place below the folder that the bundle is unpacked to', () => {
  test.each([
    ['../a', 'its name has a .. segment'],
    ['nodes/../../a', 'its name has a .. segment'],
    ['nodes/..', 'its name has a .. segment'],
    ['/etc/passwd', 'its name is an absolute path'],
    ['C:/a', 'its name starts with a drive letter'],
    ['c:a', 'its name starts with a drive letter'],
    ['nodes//a', 'its name has an empty segment'],
    ['.', 'its name is that of the root folder'],
    ['a|b', 'its name has one of <>:"|?*, which Windows does not allow'],
    ['notes:stream', 'its name has one of <>:"|?*, which Windows does not allow'],
    ['a.', 'its name has a segment that ends in a dot or a space'],
    ['nodes /a', 'its name has a segment that ends in a dot or a space'],
    ['nodes/con', 'its name has con, which is a device on Windows'],
    ['Aux.yml', 'its name has Aux.yml, which is a device on Windows'],
    ['1/2/3/4/5/6/7/8/9', 'its name has more than 8 segments'],
  ])('%s is refused', async (name, reason) => {
    expect(await refusal(rawBundle(rawEntry({ name })))).toBe(invalid(name, reason))
  })

  test.each([
    ['a\nb', '"a\\nb"', 'its name has a control character'],
    ['a\x7fb', '"a\\u{7f}b"', 'its name has a control character'],
    ['a\u202eb', '"a\\u{202e}b"', 'its name has a control character'],
    ['a\u200db', '"a\\u{200d}b"', 'its name has a control character'],
    ['a\u2028b', '"a\\u{2028}b"', 'its name has a control character'],
    ['..\\a', '"..\\\\a"', 'its name has a backslash'],
    ['', '""', 'its name has an empty segment'],
  ])('%j is refused, and shown so that it can be read', async (name, shown, reason) => {
    expect(await refusal(rawBundle(rawEntry({ name })))).toBe(invalid(shown, reason))
  })

  test('a name that is not UTF-8 is refused', async () => {
    const archive = rawBundle(rawEntry({ name: Uint8Array.of(0x61, 0xff) }))
    expect(await refusal(archive)).toBe(invalid('aÿ', 'its name is not valid UTF-8'))
  })

  test('255 bytes are a name, 256 are not', async () => {
    const name = `${'ü'.repeat(100)}/${'a'.repeat(54)}`
    expect(await refusal(await bundleOf({ name }))).toBe(`accepted: config.yml ${name}`)
    expect(await refusal(await bundleOf({ name: `${name}b` }))).toBe(
      invalid(`${name}b`, 'its name is longer than 255 bytes'),
    )
  })

  test.each(['nodes/Büro 1.yml', '..a', 'a..b/c', '.hidden', 'console', '日本/ノード.txt', 'a b'])(
    '%s is a good name',
    async (name) => {
      const archive = await bundleOf({ name, content: 'tun: {}\n' })
      expect(await refusal(archive)).toBe(`accepted: ${['config.yml', name].sort().join(' ')}`)
    },
  )
})

describe('two entries never share a place, on no system', () => {
  test.each([
    ['config.yml', 'is in the archive twice'],
    ['./config.yml', 'is in the archive twice'],
    ['././config.yml', 'is in the archive twice'],
    ['Config.yml', 'Config.yml and config.yml are one name on macOS and Windows'],
    ['conﬁg.yml', 'conﬁg.yml and config.yml are one name on macOS and Windows'],
    ['config.yml/a', 'config.yml is both a file and a folder'],
  ])('%s beside config.yml is refused', async (name, reason) => {
    expect(await refusal(await bundleOf({ name, content: 'tun: {}\n' }))).toBe(invalid(name, reason))
  })

  test('composed and decomposed letters are one name', async () => {
    const archive = await bundleOf({ name: 'b\u00fcro' }, { name: 'bu\u0308ro' })
    expect(await refusal(archive)).toBe(
      invalid('bu\u0308ro', 'bu\u0308ro and b\u00fcro are one name on macOS and Windows'),
    )
  })

  test('a file is refused where others need a folder, whichever comes first', async () => {
    const reason = 'nodes is both a file and a folder'
    expect(await refusal(await bundleOf({ name: 'nodes' }, { name: 'nodes/a' }))).toBe(invalid('nodes/a', reason))
    expect(await refusal(await bundleOf({ name: 'nodes/a' }, { name: 'nodes' }))).toBe(invalid('nodes', reason))
  })

  test('folders that differ in case are refused; a folder may come after what is in it', async () => {
    expect(await refusal(await bundleOf({ name: 'nodes/a' }, { name: 'Nodes/b' }))).toBe(
      invalid('Nodes/b', 'Nodes and nodes are one name on macOS and Windows'),
    )
    const late = await bundleOf({ name: 'nodes/a' }, { name: 'nodes', type: 'directory' })
    expect(await refusal(late)).toBe('accepted: config.yml nodes/a')
    const twice = await bundleOf({ name: 'nodes', type: 'directory' }, { name: './nodes/', type: 'directory' })
    expect(await refusal(twice)).toBe(invalid('./nodes/', 'is in the archive twice'))
  })
})
