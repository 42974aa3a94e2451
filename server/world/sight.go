package world

import (
	"bytes"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/record"
)

// viewer is a worker as posted, and so what their tablet may have. The rules are those of the protocol's page, written a
// second time.
type viewer struct {
	id    hlc.ID
	teams [][]byte
	role  recordv1.Role
	// external supervisors don't see who clients are.
	external bool
}

func viewerOf(id hlc.ID, worker record.Registers) viewer {
	v := viewer{id: id, role: recordv1.Role(worker.Get(fieldOf(recordv1.Kind_KIND_WORKER, "role")).Number())} //nolint:gosec // a role is a small number
	const k = recordv1.Kind_KIND_WORKER
	v.teams = listOf(worker, k, "team")
	if v.role == recordv1.Role_ROLE_SUPERVISOR {
		v.teams = append(v.teams, listOf(worker, k, "supervises")...)
		v.external = worker.Get(fieldOf(k, "external")).Number() != 0
	}
	return v
}

// sight is what decides who sees a record.
type sight struct {
	kind         record.Kind
	owner, team  hlc.ID
	author       []byte
	assigned     [][]byte
	confidential bool
	// identity: it says who a client is.
	identity bool
}

func sightOf(k record.Kind, rs record.Registers) sight {
	s := sight{kind: k, identity: identity(k), owner: rs.Owner(k), author: bytesOf(rs, k, "author"), confidential: record.Confidential(k)}
	if !record.SetUp(k) {
		const team = 2 // in kinds that are unknown too
		copy(s.team[:], first(bytesIn(rs.Get(team).Value)))
	}
	switch k {
	case kCase:
		s.assigned = append(listOf(rs, k, "lead"), listOf(rs, k, "workers")...)
	case kGroup:
		s.assigned = listOf(rs, k, "leader")
	case kConflict:
		m := &recordv1.Conflict{}
		if err := proto.Unmarshal(rs.Fields(), m); err == nil {
			s.confidential, s.identity = record.Confidential(m.GetTargetKind()), identity(m.GetTargetKind())
		}
	}
	return s
}

func identity(k record.Kind) bool {
	return k == recordv1.Kind_KIND_CASE_IDENTITY || k == recordv1.Kind_KIND_CONSENT
}

// deepest is how long a chain of records is followed of which each belongs to the next.
const deepest = 70

// sees tells whether a worker's tablet may have a record.
func (v viewer) sees(of map[hlc.ID]sight, id hlc.ID) bool {
	s := of[id]
	root := s
	for steps := 0; root.owner != (hlc.ID{}) && steps < deepest; steps++ {
		owner, ok := of[root.owner]
		if !ok || !record.MayOwn(owner.kind, root.kind) {
			break
		}
		root = owner
	}
	if v.role != recordv1.Role_ROLE_COORDINATOR && root.team != (hlc.ID{}) && !slices.ContainsFunc(v.teams, func(t []byte) bool { return bytes.Equal(t, root.team[:]) }) {
		return false
	}
	if s.identity && v.external {
		return false
	}
	if !s.confidential || v.role == recordv1.Role_ROLE_COORDINATOR || v.role == recordv1.Role_ROLE_SUPERVISOR {
		return true
	}
	return bytes.Equal(s.author, v.id[:]) || slices.ContainsFunc(root.assigned, func(a []byte) bool { return bytes.Equal(a, v.id[:]) })
}

func fieldOf(k record.Kind, name protoreflect.Name) protowire.Number {
	if !record.Known(k) {
		return 0
	}
	f := record.New(k).ProtoReflect().Descriptor().Fields().ByName(name)
	if f == nil {
		return 0
	}
	return f.Number()
}

// bytesOf is a field of bytes by its name; nothing when the kind has none or it is not set.
func bytesOf(rs record.Registers, k record.Kind, name protoreflect.Name) []byte {
	return first(listOf(rs, k, name))
}

func listOf(rs record.Registers, k record.Kind, name protoreflect.Name) [][]byte {
	f := fieldOf(k, name)
	if f == 0 {
		return nil
	}
	return bytesIn(rs.Get(f).Value)
}

// bytesIn are the items of an encoded field of bytes.
func bytesIn(b []byte) (list [][]byte) {
	for len(b) > 0 {
		_, _, n := protowire.ConsumeTag(b)
		if n < 0 {
			return list
		}
		value, m := protowire.ConsumeBytes(b[n:])
		if m < 0 {
			return list
		}
		list, b = append(list, value), b[n+m:]
	}
	return list
}

func first(list [][]byte) []byte {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// allowed is what each worker's tablet may ever have had, as far as logs tell.
type allowed map[hlc.ID]map[hlc.ID]bool

// learn plays a server's log and notes what each worker might have been sent at some position of it.
func (a allowed) learn(log []logged, workers map[string]hlc.ID) error {
	states, sights := map[hlc.ID]record.Registers{}, map[hlc.ID]sight{}
	for _, l := range log {
		kind, set, err := l.effect()
		if err != nil {
			return err
		}
		if set == nil {
			continue
		}
		states[l.record] = record.Merge(states[l.record], set)
		was := sights[l.record]
		is := sightOf(kind, states[l.record])
		sights[l.record] = is
		look := []hlc.ID{l.record}
		if kind == recordv1.Kind_KIND_WORKER || was.kind != 0 && (was.owner != is.owner || was.team != is.team || !slices.EqualFunc(was.assigned, is.assigned, bytes.Equal)) {
			look = sorted(sights) // what hangs on it, too
		}
		for _, id := range workers {
			v := viewerOf(id, states[id])
			if a[id] == nil {
				a[id] = map[hlc.ID]bool{}
			}
			for _, rec := range look {
				if !a[id][rec] && v.sees(sights, rec) {
					a[id][rec] = true
				}
			}
		}
	}
	return nil
}

// effect is what an entry of the log did to its record; nothing when it did nothing.
func (l logged) effect() (record.Kind, record.Registers, error) {
	switch l.outcome {
	case "":
		c, err := record.DecodeChange(l.body, hlc.Replica(l.replica)) //nolint:gosec // a replica number has 63 bits
		if err != nil {
			return 0, nil, err
		}
		return c.Kind, c.Registers(), nil
	case "given":
		m := &syncv1.GivenRecord{}
		if err := proto.Unmarshal(l.body, m); err != nil {
			return 0, nil, err
		}
		registers, err := record.DecodeState(m.GetState())
		return record.Kind(m.GetKind()), registers, err //nolint:gosec // kinds have 31 bits
	default:
		return 0, nil, nil
	}
}
