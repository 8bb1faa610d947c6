# Orrery as an image: built in one stage, and run in another that has neither compiler nor dev dependencies.
ARG NODE=node:22-bookworm-slim

FROM ${NODE} AS packages
# For better-sqlite3, where its prebuilt binary cannot be downloaded.
RUN apt-get update \
  && apt-get install -y --no-install-recommends python3 make g++ \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /orrery
COPY package.json package-lock.json .npmrc ./
COPY web/package.json web/

FROM packages AS build
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json schema.graphql ./
COPY scripts scripts
COPY prisma prisma
COPY src src
COPY web web
RUN npm run build

FROM packages AS production
# Without --legacy-peer-deps npm also installs Prisma's command line and TypeScript, as optional peers of Prisma's client.
RUN npm ci --omit=dev --legacy-peer-deps --no-audit --no-fund

FROM ${NODE}
LABEL org.opencontainers.image.title="Orrery" \
  org.opencontainers.image.description="A control plane for Nebula overlay networks"
WORKDIR /orrery
COPY package.json ./
COPY --from=production /orrery/node_modules node_modules
COPY --from=build /orrery/dist dist
# The migrations, which the server applies at start.
COPY prisma/migrations prisma/migrations

# The command line by its name: `docker exec … orrery token create --role operator`.
RUN chmod 0755 dist/cli/index.js && ln -s /orrery/dist/cli/index.js /usr/local/bin/orrery

# The embedded database and the secret, when no others are set: everything that outlives a container.
RUN install -d -o node -g node -m 0700 /data
VOLUME /data
ENV NODE_ENV=production \
  DATABASE_URL=file:/data/orrery.db \
  ORRERY_DATA_DIR=/data \
  ORRERY_HOST=0.0.0.0 \
  ORRERY_PORT=4000
EXPOSE 4000
USER node

HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.ORRERY_PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]

STOPSIGNAL SIGTERM
# In exec form: the server is process 1 and gets the signal itself.
ENTRYPOINT ["orrery"]
CMD ["serve"]
