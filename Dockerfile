# Not on Alpine: development runs on glibc, and so does this. See docs/guide/docker.md.
FROM node:24-bookworm-slim AS build
WORKDIR /app
# The workspace tools/node24 brings a Node to machines that have an old one; the image has its own.
COPY package.json package-lock.json ./
RUN npm ci --workspaces=false --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY tools/build.ts tools/
COPY catalog catalog
COPY cli cli
COPY config config
COPY openai openai
COPY relay relay
COPY routes routes
COPY server server
COPY simulator simulator
COPY translators translators
RUN npm run build

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --workspaces=false --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
WORKDIR /app
# Owned by root: the process can change nothing of itself.
COPY LICENSE package.json ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
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
