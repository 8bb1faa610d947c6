import type { Prisma } from './types.ts'

/** The columns of the tables that are listed in pages, by field. A bundle's data is no column of a list. */
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
