/**
 * The tabs that GraphiQL opens with: a first session for each kind of caller. Ids to be filled in are zeros: such a
 * row does not exist, so that running an example as it stands shows what a typed error looks like.
 */
export const exampleOperations: readonly string[] = [
  `# Welcome to Orrery. Your credential belongs in the
# headers below, behind "Bearer"; a sign-in link has put it
# there already. Ctrl-Space proposes, Ctrl-Enter runs.
#
# For every kind of caller: who am I to this server?
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
# Whoever belongs to it sees its clusters and nothing of
# any other tenant. Keep the id of the answer.
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
# Its token lets machines enrol; it is shown here and never
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
  `# As an operator, 3 of 4: a node that leads into the
# network behind it. Its token signs its agent in; put it
# into the headers to see Orrery as the node does.
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
  `# As an operator, 4 of 4: what is there. (A tenant's
# admins and viewers see their own tenant here.)
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
