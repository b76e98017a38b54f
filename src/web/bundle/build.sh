#!/usr/bin/env bash
# Makes src/web/assets/vendor/editor.js and its licences anew, from the npm packages that package.json and package-lock.json name. Cargo does
# not need it: the result is in the repository. Run it after a version in package.json was raised, and look at the editor in a browser.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp editor.js package.json package-lock.json "$work"
vendor=$(pwd)/../assets/vendor
cd "$work"
npm ci --silent --no-audit --no-fund --ignore-scripts
npx esbuild editor.js --bundle --minify --format=esm --target=es2022 --legal-comments=none --metafile=meta.json --outfile=editor.bundle.js
# What really is in the bundle, each with its licence.
{
  echo "The editor page's script is made of these packages by src/web/bundle/build.sh."
  node -e '
    const meta = require("./meta.json");
    const names = new Set(Object.keys(meta.inputs).map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]).filter(Boolean));
    const fs = require("fs");
    for (const name of [...names].sort()) {
      const about = JSON.parse(fs.readFileSync(`node_modules/${name}/package.json`));
      const file = fs.readdirSync(`node_modules/${name}`).find((file) => /^licen[cs]e/i.test(file));
      if (!file) throw new Error(`${name} has no licence`);
      console.log(`\n---- ${name} ${about.version} (${about.license})\n\n${fs.readFileSync(`node_modules/${name}/${file}`, "utf8").trim()}`);
    }'
} > LICENSES.txt
cp editor.bundle.js "$vendor/editor.js"
cp LICENSES.txt "$vendor/LICENSES.txt"
