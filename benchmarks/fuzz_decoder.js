// What leaderboard/decoder.js makes of many files: node fuzz_decoder.js DECODER < files > outcomes
//
// Each file comes as its length (4 bytes, little-endian) and its bytes. Nine bytes go out for each: 0 where it is
// refused, 1 where it is a model, 2 where the decoder failed (why goes to stderr), 3 where it took more than 2 s; then
// the first 8 bytes of the SHA-1 of the model's arrays.
"use strict";
const { createHash } = require("crypto");
const { readFileSync, writeSync } = require("fs");
const { unpack, ArtifactError } = require(process.argv[2]);

function outcomeOf(file) {
  const started = process.hrtime.bigint();
  try {
    const hash = createHash("sha1");
    for (const { weight, bias } of unpack(file).layers) {
      for (const { data } of weight ? [weight, bias] : []) {
        hash.update(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
      }
    }
    return [process.hrtime.bigint() - started > 2_000_000_000n ? 3 : 1, ...hash.digest().subarray(0, 8)];
  } catch (error) {
    if (error instanceof ArtifactError) return [process.hrtime.bigint() - started > 2_000_000_000n ? 3 : 0];
    process.stderr.write(`${error.stack}\n\n`);
    return [2];
  }
}

const files = readFileSync(0);
const outcomes = [];
for (let place = 0; place < files.length; ) {
  const size = files.readUInt32LE(place);
  const outcome = Buffer.alloc(9);
  outcome.set(outcomeOf(new Uint8Array(files.subarray(place + 4, place + 4 + size))));
  outcomes.push(outcome);
  place += 4 + size;
}
writeSync(1, Buffer.concat(outcomes));
