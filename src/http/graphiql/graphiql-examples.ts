/**
 * The tabs that GraphiQL opens with: a first session for each kind of caller. Ids to fill in consist of zeros: such a
 * row does not exist, so that an unchanged example shows a typed error.
 */
export const exampleOperations: readonly string[] = [
  `# Welcome to Orrery. If you are signed in to the admin page,
# you are signed in here, too. To use another credential, add
# it to the headers below: "Authorization": "Bearer …".
# Ctrl-Space suggests, Ctrl-Enter runs.
#
# For every kind of caller: who does this server say I am?
query WhoAmI {
  viewer {
    ... on Operator {
      subject
    }
    ... on TenantAdmin {
      subject
      role
      tenant {
        id
        name
      }
    }
    ... on Node {
      name
      overlayIp
      cluster {
        id
        name
      }
    }
    ... on EnrollingMachine {
      clusterName
      networkCidr
    }
  }
}
`,
  `# As an operator, 1 of 4: a tenant is an organisation.
# Its members see its clusters, and nothing of any other
# tenant. Note the id in the answer.
mutation CreateTenant {
  createTenant(input: { name: "Acme" }) {
    ... on CreateTenantPayload {
      tenant {
        id
        name
      }
    }
    ... on Error {
      message
    }
  }
}
`,
  `# As an operator, 2 of 4: a cluster is one Nebula network.
# Its token lets machines enroll; it is shown here and never
# again. (As a tenant's admin, leave tenantId out.)
mutation CreateCluster {
  createCluster(
    input: {
      tenantId: "00000000-0000-4000-8000-000000000000" # from CreateTenant
      name: "production"
    }
  ) {
    ... on CreateClusterPayload {
      cluster {
        id
        networkCidr
      }
      token
    }
    ... on Error {
      message
    }
  }
}
`,
  `# As an operator, 3 of 4: a node that is the gateway to a
# network. Its agent signs in with the token; put it into
# the headers to see Orrery as the node does.
mutation CreateNode {
  createNode(
    input: {
      clusterId: "00000000-0000-4000-8000-000000000000" # from CreateCluster
      name: "gateway"
      routes: ["192.168.1.0/24"]
    }
  ) {
    ... on CreateNodePayload {
      node {
        id
        overlayIp
      }
      token
    }
    ... on Error {
      message
    }
  }
}
`,
  `# As an operator, 4 of 4: an overview. (A tenant's admins
# and viewers see their own tenant here.)
query Overview {
  tenants(first: 20) {
    totalCount
    nodes {
      name
      clusters(first: 20) {
        nodes {
          id
          name
          configVersion
          nodes(first: 10) {
            totalCount
            nodes {
              name
              overlayIp
              isLighthouse
              isRelay
              routes
            }
          }
        }
      }
    }
  }
}
`,
  `# As an operator, admin or viewer: how all clusters are.
# \`subscription { fleetChanged { __typename } }\` tells when
# to look again.
query Fleet {
  fleet {
    clusters {
      name
      nodes {
        all
        online
        failing
        offline
      }
      convergence {
        applied
        pending
        failed
      }
      caExpiresAt
      unpublishedVersions
    }
  }
}
`,
  `# As a node: the other nodes of my cluster.
query MyCluster {
  viewer {
    ... on Node {
      cluster {
        name
        configVersion
        nodes {
          nodes {
            name
            overlayIp
            isLighthouse
            lighthousePublicIp
          }
        }
      }
    }
  }
}
`,
]
