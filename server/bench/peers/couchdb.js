// A server that speaks the CouchDB protocol, on LevelDB in the folder that is its argument. It prints its URL when it is ready,
// and what it has synced to disk when it answers: PouchDB calls LevelDB's batch without {sync: true}, and LevelDB then leaves it
// to the system when its log reaches the disk.
const express = require('express')
const PouchDB = require('pouchdb').defaults({ prefix: process.argv[2] + '/' })

const app = express()
app.use(require('express-pouchdb')(PouchDB, { mode: 'minimumForPouchDB' }))
const server = app.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${server.address().port} nothing (LevelDB, sync=false)`))
