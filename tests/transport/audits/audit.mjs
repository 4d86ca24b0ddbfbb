// Runs every audit of graphql-http against the address given, and prints each that fails, one a line.
import { serverAudits } from 'graphql-http';

const url = process.argv[2];
const audits = serverAudits({ url });
let failed = 0;
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status !== 'ok') {
    failed += 1;
    console.log(`${result.status} ${result.id} ${result.name}: ${result.reason}`);
  }
}
console.log(`${audits.length} audits, ${failed} failed`);
