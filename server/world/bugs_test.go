package world_test

// bugs are what TestPlantedBugs plants.
var bugs = []bug{
	{
		name: "acknowledged before the commit",
		file: "server/internal/syncing/writer.go",
		old:  "\t\tsaved = g.head\n",
		new:  "\t\tsaved = g.head\n\t\tif log := g.log; len(log) > 0 && log[len(log)-1].Replica != hlc.Replica(w.self.replica.Load()) {\n\t\t\tfor _, j := range jobs {\n\t\t\t\tj.done <- nil\n\t\t\t}\n\t\t\ttime.Sleep(10 * time.Millisecond)\n\t\t}\n",
	},
	{
		name: "ties broken by arrival",
		file: "syncproto/record/register.go",
		old:  "return cmp.Or(r.Stamp.Compare(o.Stamp), bytes.Compare(r.Value, o.Value), r.Parent.Compare(o.Parent))",
		new:  "_ = bytes.Compare\n\treturn cmp.Compare(r.Stamp.Time, o.Stamp.Time)",
	},
	{
		name: "delta forgotten on delete",
		file: "server/internal/syncing/saving.go",
		old:  "\t\tif !e.there || record.SetUp(e.Kind) {\n\t\t\tcontinue\n\t\t}\n\t\tif e.was != nil {",
		new:  "\t\tif !e.there || record.SetUp(e.Kind) || e.registers.Deleted() {\n\t\t\tcontinue\n\t\t}\n\t\tif e.was != nil {",
	},
	{
		name: "own records left out of a pull from 0",
		file: "server/internal/syncing/pull.go",
		old:  "if p.replica == 0 || r.Origin != p.replica || p.cursor == 0 || p.cursor < r.OriginAfter {",
		new:  "if p.replica == 0 || r.Origin != p.replica {",
	},
	{
		name: "parents not rewritten when restamping",
		file: "clientlib/internal/localdb/restamp.go",
		old:  "\t\t\t\tc.Parents[f] = to\n",
		new:  "\t\t\t\t_, _ = f, to\n",
	},
	{
		name: "changes restamped that a server may have",
		seed: 161,
		file: "clientlib/internal/localdb/restamp.go",
		old:  "rest[first].sequence <= t.Possible && rest[first].change.Stamp.Time <= future",
		new:  "rest[first].sequence <= t.Accepted && rest[first].change.Stamp.Time <= future",
	},
	{
		name: "held change merged into base",
		file: "clientlib/internal/localdb/changes.go",
		old:  "switch applied := code == \"\" && !known; {",
		new:  "switch applied := !known; {",
	},
	{
		name: "no deduplication",
		file: "server/internal/syncing/push.go",
		old:  "p.arrivals[min(uint64(len(p.arrivals)), r.Have+1-p.first):]",
		new:  "p.arrivals",
	},
	{
		name: "changes of a clone applied again",
		file: "server/internal/syncing/judge.go",
		old:  "\t\t\tcase was.Change != c.ID:\n",
		new:  "\t\t\tcase was.Change != c.ID, true:\n",
	},
	{
		name: "nothing given back",
		file: "clientlib/internal/localdb/giveback.go",
		old:  "VALUES ($1, $2, $3, $4, 0)\n\t\tON CONFLICT DO UPDATE SET given = 0",
		new:  "VALUES ($1, $2, $3, $4, 1)\n\t\tON CONFLICT DO UPDATE SET given = 1",
	},
	{
		name: "cursor kept over a lost history",
		file: "server/internal/syncing/pull.go",
		old:  "\tif err != nil || !own || len(pull.GetMarks()) == 0 {\n\t\treturn !own, err\n\t}\n\town, err = owns(store, pull.GetMarks()[0])\n\treturn !own, err\n",
		new:  "\t_ = own\n\treturn false, err\n",
	},
	{
		name: "the chain's head not compared",
		seed: 208,
		file: "clientlib/recovery.go",
		old:  "return !batch.Same(got.GetHaveChain(), chain), err",
		new:  "return !batch.Same(chain[:batch.ShortChain], chain), err",
	},
	{
		name: "given-back record without proof let in",
		file: "server/internal/syncing/give.go",
		old:  "\tcase !back.proven:\n\t\treturn record.CodeUnproven\n",
		new:  "",
	},
	{
		name: "future stamps let in by giving back",
		file: "server/internal/syncing/give.go",
		old:  "\tcase back.registers.Newest() > g.future():\n\t\treturn record.CodeStampInFuture\n",
		new:  "",
	},
	{
		name: "scope change that purges unsent work",
		file: "clientlib/internal/localdb/pull.go",
		old:  "\t\tif err := tx.exec(`UPDATE records SET dropped = 1 WHERE id = $1`, recordID[:]); err != nil {\n",
		new:  "\t\tif err := tx.exec(`DELETE FROM changes WHERE record = $1`, recordID[:]); err != nil {\n",
	},
	{
		name: "held change that stops the queue",
		file: "server/internal/syncing/push.go",
		old:  "\t\tposition := g.take(r, change, rec, v, a.body, a.hash, a.redacted)\n",
		new:  "\t\tif isHeld(v.outcome) {\n\t\t\tbreak\n\t\t}\n\t\tposition := g.take(r, change, rec, v, a.body, a.hash, a.redacted)\n",
	},
	{
		name: "what was accepted refused for its stamp",
		file: "clientlib/recovery.go",
		old:  "\t\treq.Accepted = t.Accepted\n",
		new:  "\t\treq.Accepted = 0\n",
	},
	{
		name: "new audience not announced",
		file: "server/internal/syncing/place.go",
		old:  "\t\t\tif e != moved {\n\t\t\t\tg.announce(e)\n\t\t\t}\n",
		new:  "",
	},
	{
		name: "checksums not looked at",
		file: "syncproto/wire/coding.go",
		old:  "append(options, zstd.WithDecoderConcurrency(1)",
		new:  "append(options, zstd.IgnoreChecksum(true), zstd.WithDecoderConcurrency(1)",
	},
}
