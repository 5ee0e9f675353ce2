# Not on Alpine: development runs on glibc, and so does this. See docs/guide/docker.md.
FROM node:24-bookworm-slim AS build
WORKDIR /app
# The workspace tools/node24 brings a Node to machines that have an old one; the image has its own.
COPY package.json package-lock.json ./
RUN npm ci --workspaces=false --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY tools/build.ts tools/warm.ts tools/
COPY catalog catalog
COPY cli cli
COPY config config
COPY openai openai
COPY relay relay
COPY routes routes
COPY scorecard scorecard
COPY server server
COPY simulator simulator
COPY translators translators
RUN npm run build

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --workspaces=false --no-audit --no-fund

# One start, as the user and at the place of every later one: Node files what it has compiled under both. See docs/decisions/0027-compiled-code.md.
FROM packages AS warm
COPY --from=build /app/dist dist
COPY --from=build /app/tools/warm.ts tools/
RUN mkdir .cache data && chown node:node .cache data
USER node
RUN node tools/warm.ts
USER root
RUN chown -R root:root .cache && chmod -R a+rX .cache

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
WORKDIR /app
# Owned by root: the process can change nothing of itself.
COPY LICENSE package.json ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=warm /app/.cache .cache
# The one place it writes to: the books, unless `database` says otherwise. A volume, so that `--read-only` works.
RUN mkdir data && chown node:node data
VOLUME /app/data
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`, { signal: AbortSignal.timeout(2000) }).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/cli/cli.js"]
# A named file: without it the relay refuses to start, rather than answer from the simulator.
CMD ["serve", "--config", "/etc/estafet/estafet.yaml"]
