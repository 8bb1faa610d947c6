import { createYoga } from "graphql-yoga";

import type { Authenticate } from "../auth/authenticate.ts";
import type { Tokens } from "../auth/tokens.ts";
import { Loaders } from "../graphql/loaders.ts";
import type { Context } from "../graphql/context.ts";
import { schema } from "../graphql/schema.ts";

export interface AppMeans {
  readonly authenticate: Authenticate;
  readonly tokens: Tokens;
}

export function createApp({ authenticate, tokens }: AppMeans) {
  return createYoga<object, Context>({
    schema,
    context: async ({ request }) => ({
      session: await authenticate(request.headers.get("authorization")),
      tokens,
      loaders: new Loaders(),
    }),
    logging: false,
  });
}
