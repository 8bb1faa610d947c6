import type * as z from 'zod'

import type { IssueCode, Problem, ValidationIssue } from '../../base/issues.ts'

/* The rules of inputs are zod schemas. A rule that zod does not know is made by one of these functions, so that its
   issue has a code; those of zod's own rules get theirs here. */

/** What a rule of `refine` says when it is broken. */
export const rule = (code: IssueCode, message: string, path: string[] = []) => ({
  error: message,
  path,
  params: { code },
})

/** Adds a broken rule, in `superRefine` or `transform`. */
export function addProblem(
  context: z.RefinementCtx,
  { code, message }: Problem,
  path: readonly (string | number)[] = [],
): void {
  context.addIssue({ code: 'custom', message, path: [...path], params: { code } })
}

/** The issue of an input at `at`. */
export const issueAt = (issue: z.core.$ZodIssue, at: readonly string[]): ValidationIssue => ({
  path: [...at, ...issue.path.map(String)],
  code: codeOf(issue),
  message: issue.message,
})

function codeOf(issue: z.core.$ZodIssue): IssueCode {
  switch (issue.code) {
    case 'custom':
      return ownCode(issue)
    case 'too_big':
      return issue.origin === 'string' ? 'TOO_LONG' : issue.origin === 'array' ? 'TOO_MANY' : 'OUT_OF_RANGE'
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array' ? 'REQUIRED' : 'OUT_OF_RANGE'
    case 'invalid_type':
    case 'invalid_format':
    case 'invalid_value':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      return 'INVALID_FORMAT'
  }
}

/** Only rule() and addProblem() make such issues, which test/graphql/issue-codes.test.ts checks. */
const ownCode = ({ params }: z.core.$ZodIssueCustom): IssueCode => params?.['code'] as IssueCode
