import { join, relative } from 'node:path'

import ts from 'typescript'

import { project } from './imports.ts'

/**
 * Compiles src in memory with one file changed.
 * @returns where it fails, as `file function`, sorted and each once
 */
export function functionsThatFailWith(file: string, change: (source: string) => string): string[] {
  const { options, fileNames } = settings()
  const host = ts.createCompilerHost(options)
  const changed = join(project, file)
  const read = host.readFile.bind(host)
  host.readFile = (path) => {
    const source = read(path)
    if (source === undefined || path !== changed) return source
    const now = change(source)
    if (now === source) throw new Error(`the change does not meet ${file} any more`)
    return now
  }
  const program = ts.createProgram(fileNames, options, host)
  const sources = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(join(project, 'src/')))
  const places = sources.filter(isAboutCallers).flatMap((source) =>
    program.getSemanticDiagnostics(source).map(({ start = 0 }) => {
      return `${relative(project, source.fileName)} ${functionAt(source, start)}`
    }),
  )
  return [...new Set(places)].sort()
}

/** Files that have nothing to do with callers cannot fail because of them, and take most of the time. */
const isAboutCallers = ({ text, fileName }: ts.SourceFile): boolean =>
  !fileName.includes('/generated/') && /session/i.test(text)

function settings(): ts.ParsedCommandLine {
  const { config } = ts.readConfigFile(join(project, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: object
  }
  return ts.parseJsonConfigFileContent({ ...config, include: ['src'] }, ts.sys, project)
}

/** The name of the declared function that contains a position of a file. */
function functionAt(source: ts.SourceFile, place: number): string {
  let name = 'at its top'
  const look = (node: ts.Node): void => {
    if (place < node.getFullStart() || place >= node.getEnd()) return
    if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) name = node.name?.getText(source) ?? name
    else if (ts.isVariableDeclaration(node) || ts.isPropertyAssignment(node)) name = node.name.getText(source)
    ts.forEachChild(node, look)
  }
  look(source)
  return name
}
