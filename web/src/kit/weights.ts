/** How much a certificate's state weighs, as the lists name it. */
export function weightOf(status: 'VALID' | 'ENDS_SOON' | 'ENDED' | null): 'soft' | 'warn' | 'bad' {
  switch (status) {
    case 'ENDED':
      return 'bad'
    case 'ENDS_SOON':
      return 'warn'
    case 'VALID':
    case null:
      return 'soft'
  }
}
