import { builder } from '../kit/builder.ts'

export const CertificateStatus = builder.enumType('CertificateStatus', {
  description: 'How close a certificate is to its end.',
  values: {
    VALID: { value: 'VALID', description: 'Valid, and not yet close to its end.' },
    ENDS_SOON: {
      value: 'ENDS_SOON',
      description:
        'It ends within 30 days. For a shorter lifetime the limit is 7 days (less than 120 days), one day (less than 28 days) or 6 hours (less than 4 days). Agents renew a node’s certificate when a third of its lifetime is left: one in this state was not renewed in time.',
    },
    ENDED: { value: 'ENDED', description: 'No longer valid: no node lets its holder in.' },
  } as const,
})
