// lookup.js NAME, or lookup.js --srv NAME: what Node's dns.resolve says, which is c-ares, not the system's resolver.
const dns = require('dns').promises
const [first, second] = process.argv.slice(2)
const answer = first === '--srv'
    ? dns.resolveSrv(second).then(found => found.map(record => `${record.priority} ${record.weight} ${record.port} ${record.name}.`))
    : dns.resolve(first)
answer.then(lines => lines.forEach(line => console.log(line)), () => process.exit(1))
