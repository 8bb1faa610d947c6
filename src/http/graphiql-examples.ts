/** The tabs that GraphiQL opens with: a first session for each kind of caller. A test holds them against the schema. */
export const exampleOperations: readonly string[] = [
  /* GraphQL */ `
    # Welcome to Orrery. The credential belongs into the headers below; a sign-in link has put it there.
    # Who am I to this server?
    query Viewer {
      viewer {
        __typename
      }
    }
  `,
  /* GraphQL */ `
    # As an operator, 1: a tenant is an organisation. It sees its own clusters and nothing else.
    mutation CreateTenant {
      createTenant(input: { name: "Acme" }) {
        __typename
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
]
