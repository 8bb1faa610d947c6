import { builder } from '../kit/builder.ts'

export const CertificateStatus = builder.enumType('CertificateStatus', {
  description: 'What has become of a certificate as time goes.',
  values: {
    VALID: { value: 'VALID', description: 'It is valid, and not in the last part of its life.' },
    ENDS_SOON: {
      value: 'ENDS_SOON',
      description:
        'It ends within 30 days, of what is valid for less than 120 days within 7, for less than 28 days within one, for less than 4 days within 6 hours. Agents renew theirs when a third is left: this one was not renewed in time.',
    },
    ENDED: { value: 'ENDED', description: 'It is not valid any more: no node lets its holder in.' },
  } as const,
})
