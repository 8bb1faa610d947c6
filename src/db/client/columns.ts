import type { Prisma } from './types.ts'

/** The columns of the tables that are listed in pages, by field, without the data of bundles. */
export const columns = {
  tenants: { id: 'id', name: 'name', createdAt: 'created_at' },
  clusters: {
    id: 'id',
    tenantId: 'tenant_id',
    name: 'name',
    clusterTokenHash: 'cluster_token_hash',
    provideLighthouse: 'provide_lighthouse',
    lighthousePort: 'lighthouse_port',
    configVersion: 'config_version',
    pkiCaCert: 'pki_ca_cert',
    pkiCaKey: 'pki_ca_key',
    pkiCrl: 'pki_crl',
    createdAt: 'created_at',
    networkCidr: 'network_cidr',
    nextOverlayIp: 'next_overlay_ip',
    firewall: 'firewall',
    certificateVersion: 'certificate_version',
    publishedConfigVersion: 'published_config_version',
    sharedConfigVersion: 'shared_config_version',
    pendingChanges: 'pending_changes',
    bundleSigningKey: 'bundle_signing_key',
    bundlePublicKey: 'bundle_public_key',
    certificateLifetimeDays: 'certificate_lifetime_days',
    enrollGroups: 'enroll_groups',
    pkiCrlExpiries: 'pki_crl_expiries',
    caRotationPhase: 'ca_rotation_phase',
    caRotationVersion: 'ca_rotation_version',
    caRotationStartedAt: 'ca_rotation_started_at',
    caRotationStartedBy: 'ca_rotation_started_by',
    caRotationAutomatic: 'ca_rotation_automatic',
    pkiOtherCaCert: 'pki_other_ca_cert',
    pkiOtherCaKey: 'pki_other_ca_key',
  },
  nodes: {
    id: 'id',
    tenantId: 'tenant_id',
    clusterId: 'cluster_id',
    name: 'name',
    isAdmin: 'is_admin',
    tokenHash: 'token_hash',
    mtu: 'mtu',
    routes: 'routes',
    routesUpdatedAt: 'routes_updated_at',
    isLighthouse: 'is_lighthouse',
    lighthousePublicIp: 'lighthouse_public_ip',
    lighthousePort: 'lighthouse_port',
    isRelay: 'is_relay',
    lighthouseRelayUpdatedAt: 'lighthouse_relay_updated_at',
    createdAt: 'created_at',
    overlayIp: 'overlay_ip',
    groups: 'groups',
    publicKey: 'public_key',
    certificate: 'certificate',
    certificateFingerprint: 'certificate_fingerprint',
    certificateExpiresAt: 'certificate_expires_at',
    supersededCertificates: 'superseded_certificates',
    runningConfigVersion: 'running_config_version',
    lastSeenAt: 'last_seen_at',
    nebulaVersion: 'nebula_version',
    lastError: 'last_error',
  },
  config_bundles: {
    version: 'version',
    tenantId: 'tenant_id',
    clusterId: 'cluster_id',
    createdById: 'created_by',
    createdAt: 'created_at',
    sha256: 'sha256',
    size: 'size',
    message: 'message',
  },
} as const satisfies {
  tenants: Record<Prisma.TenantScalarFieldEnum, string>
  clusters: Record<Prisma.ClusterScalarFieldEnum, string>
  nodes: Record<Prisma.NodeScalarFieldEnum, string>
  config_bundles: Record<Exclude<Prisma.ConfigBundleScalarFieldEnum, 'data'>, string>
}

export type Table = keyof typeof columns

/** The model of each table's rows. */
export const models = {
  tenants: 'Tenant',
  clusters: 'Cluster',
  nodes: 'Node',
  config_bundles: 'ConfigBundle',
} as const satisfies Record<Table, Prisma.ModelName>

/**
 * The column of a field.
 * @throws Error for a field that is not read in pages and look-ups, such as the data of bundles
 */
export function columnOf(table: Table, field: string): string {
  const known: Readonly<Record<string, string>> = columns[table]
  const column = Object.hasOwn(known, field) ? known[field] : undefined
  if (column === undefined) throw new Error(`${table} has no field ${field} that a list may read`)
  return column
}
