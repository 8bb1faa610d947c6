import { parseCaCertificates, parseCertificates } from '../pki/certificate.ts'
import { PkiError } from '../pki/errors.ts'
import { verifyNode } from '../pki/verify.ts'
import type { SettingProblem } from './agent-settings.ts'

/**
 * What is wrong with a node's certificate file from its peers' point of view: `nebula -test` accepts a certificate
 * whose CA is not among the trusted ones, and the node then reaches no peer.
 * @param ca `ca.crt`
 * @param certificate `node.crt`: one block, or one of each version
 */
export function checkIdentity(ca: string, certificate: string, at: Date = new Date()): SettingProblem[] {
  try {
    const cas = parseCaCertificates(ca)
    for (const one of parseCertificates(certificate)) {
      if (one.isCa) return [{ path: ['pki', 'cert'], message: `holds the certificate of the CA "${one.name}"` }]
      verifyNode(one, cas, at)
    }
    return []
  } catch (error) {
    if (!(error instanceof PkiError)) throw error
    return [{ path: ['pki', 'cert'], message: error.message }]
  }
}
