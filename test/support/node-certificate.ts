import { parseCertificate } from '../../src/pki/certificate.ts'

/** A certificate that must be a node's. */
export function parseNodeCertificate(pem: string) {
  const certificate = parseCertificate(pem)
  if (certificate.isCa) throw new Error(`the certificate of "${certificate.name}" is a CA's`)
  return certificate
}
