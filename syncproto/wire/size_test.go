package wire_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	"levee/syncproto/batch"
	"levee/syncproto/hlc"
	recordv1 "levee/syncproto/levee/record/v1"
	syncv1 "levee/syncproto/levee/sync/v1"
	"levee/syncproto/levee/sync/v1/syncv1connect"
	"levee/syncproto/record"
	"levee/syncproto/wire"
)

const (
	// mostToPacked is how much larger a record may be on its way than as a packed row.
	mostToPacked = 1.15
	// mostForOne is what the body of a batch of one may have.
	mostForOne = 400
	inBatch    = 400
)

// notebook makes up rounds of visits of one tablet, with a note of 80 characters each. Its text has nothing to do with that
// of which the dictionary was made.
type notebook struct {
	t                  testing.TB
	rand               *rand.Rand
	ids                *rand.ChaCha8
	at                 time.Time
	clock              *hlc.Clock
	key                ed25519.PrivateKey
	nonce              uint64
	replica            hlc.Replica
	deployment         hlc.ID
	site, team, author hlc.ID
	// rows are the visits packed, changes as they are pushed, records as they are pulled.
	rows    []byte
	changes [][]byte
	records []*syncv1.PulledRecord
}

func newNotebook(t testing.TB, seed uint64) *notebook {
	var source [32]byte
	binary.LittleEndian.PutUint64(source[:], seed)
	n := &notebook{t: t, rand: rand.New(rand.NewPCG(seed, 0)), ids: rand.NewChaCha8(source), at: time.Date(2021, 9, 23, 1, 0, 0, 0, time.UTC)}
	n.clock = hlc.NewClock(func() time.Time { return n.at }, 0)
	n.key, n.nonce = ed25519.NewKeyFromSeed(n.bytes(ed25519.SeedSize)), n.ids.Uint64()
	n.replica = hlc.ReplicaOf(n.public(), n.nonce)
	n.deployment = n.id()
	for _, id := range []*hlc.ID{&n.site, &n.team, &n.author} {
		n.at = n.at.Add(time.Duration(n.rand.IntN(90)) * time.Second)
		*id = n.id()
	}
	for _, id := range []hlc.ID{n.deployment, n.team, n.author} {
		n.rows = append(n.rows, id[:]...)
	}
	return n
}

func (n *notebook) public() ed25519.PublicKey { return n.key.Public().(ed25519.PublicKey) }

func (n *notebook) bytes(length int) []byte {
	b := make([]byte, length)
	_, _ = n.ids.Read(b) // it never fails
	return b
}

func (n *notebook) id() hlc.ID {
	id, err := hlc.NewID(n.clock.Now(), n.ids)
	if err != nil {
		n.t.Fatal(err)
	}
	return id
}

// What notes are made of that somebody could have written: whoever, what they did and what with, and what comes next.
var (
	who  = strings.Fields("曹大娘 梁家三口 小吕 孟叔 谭奶奶 邵老师 龚支书 阿秀 老雷 莫医生 范家兄妹 瞿婶 二楼那户 河西的舅舅 养蜂人 修鞋匠 放羊的老汉 小卖部老板娘 刚返乡的青年 怀孕的媳妇 读初三的外孙")
	did  = strings.Fields("一大早过来问 坐在门槛上说起 拿出旧本子给我们看 托人捎话 笑着摆手说不用 红着眼圈讲到 皱着眉头算 带路去看 反复念叨 比划着解释 悄悄打听 连夜收拾出 借来板车拉走 掰着指头数 送来自家种的 蹲在沟边等 抢着帮忙抬 埋怨没人管 谢绝了 惦记着")
	what = strings.Fields("泡坏的缝纫机 孙子的转学证明 半袋发芽的麦种 屋梁上的裂缝 停掉的降压药 邮局的汇款单 女婿的工伤认定 没拆封的饼干 漂走的蜂箱 井里的浑水 堵住的涵洞 发霉的新被面 邻村的戏班子 被褥和煤球 学校的补录名额 祖坟边的塌方 断了线的喇叭 合作社的账 冬天的炉子 去郑州复诊的车票 门前的淤沙")
	then = strings.Fields("下回带表格来 已转给民政所 明早八点再碰头 队里凑了一百二 要等水利站的人 先记在本子上 回去查政策 她不愿留电话 约好赶集那天见 夜里有人陪着 尺寸量过了 孩子在旁边偷听 说完心里松快些 还差两个签名 拍了照 不急")
)

// note is one of 80 characters.
func (n *notebook) note() string {
	from := func(words []string) string { return words[n.rand.IntN(len(words))] }
	var text []rune
	for len(text) < 80 {
		text = append(text, []rune(from(who)+from(did)+from(what)+"，"+from(then)+fmt.Sprint(n.rand.IntN(60))+string([]rune("。；，")[n.rand.IntN(3)]))...)
	}
	return string(text[:79]) + "。"
}

// common are characters that are common anywhere.
var common = []rune("的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严")

// scrawl is a note of 80 of them at random, the first ones most often. No dictionary knows it, and it compresses about as badly
// as what people write.
func (n *notebook) scrawl() string {
	text := make([]rune, 80)
	for i := range text {
		text[i] = common[n.rand.IntN(1+n.rand.IntN(len(common)))]
	}
	return string(text)
}

// visit logs one visit with a note, of which all twelve fields that a tablet fills in are set.
func (n *notebook) visit(note string) {
	n.t.Helper()
	n.at = n.at.Add(time.Duration(1+n.rand.IntN(1200_000)) * time.Millisecond)
	number := func(most int) uint32 { return uint32(1 + n.rand.IntN(most)) }
	village := fmt.Sprintf("第%d组", number(30))
	m := &recordv1.Outreach{
		Site: n.site[:], Team: n.team[:], Author: n.author[:], OccurredOn: proto.Int32(20210923 + int32(number(7))),
		Place:  &recordv1.Place{Code: proto.String("410781106"), Edition: proto.Int32(2023), Village: proto.String(village)},
		Status: recordv1.Status_STATUS_HELD.Enum(), ServiceArea: recordv1.ServiceArea(number(3)).Enum(), Entry: recordv1.Entry(number(2)).Enum(),
		Mode: recordv1.OutreachMode(number(4)).Enum(), Households: proto.Uint32(number(12)), Needs: proto.String(note), Follow: recordv1.OutreachFollow(number(4)).Enum(),
	}
	encoded, err := proto.Marshal(m)
	if err != nil {
		n.t.Fatal(err)
	}
	fields, err := record.Canonical(recordv1.Kind_KIND_OUTREACH, encoded)
	if err != nil {
		n.t.Fatal(err)
	}
	stamp := hlc.Stamp{Time: n.clock.Now(), Replica: n.replica}
	id, err := hlc.NewID(stamp.Time, n.ids)
	if err != nil {
		n.t.Fatal(err)
	}
	c, err := record.Edit(id, id, recordv1.Kind_KIND_OUTREACH, stamp, nil, fields, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	n.changes = append(n.changes, c.Encode())
	n.records = append(n.records, &syncv1.PulledRecord{Id: id[:], Kind: uint32(c.Kind), Position: 70_000 + uint64(len(n.records)), State: record.EncodeState(c.Registers()), Proof: n.bytes(8)})
	n.pack(id, m)
}

// pack appends a row in the tightest way that one would write by hand: a CBOR array (RFC 8949) of 13 columns, in which the
// team and the worker, which stand once for all, have no place.
func (n *notebook) pack(id hlc.ID, m *recordv1.Outreach) {
	n.head(4<<5, 13)
	n.text(2<<5, id[:])
	n.text(2<<5, m.GetSite())
	for _, v := range []uint64{uint64(m.GetOccurredOn()), 410781106, uint64(m.GetPlace().GetEdition())} {
		n.head(0, v)
	}
	n.text(3<<5, []byte(m.GetPlace().GetVillage()))
	for _, v := range []uint64{uint64(m.GetStatus()), uint64(m.GetServiceArea()), uint64(m.GetEntry()), uint64(m.GetMode()), uint64(m.GetHouseholds())} {
		n.head(0, v)
	}
	n.text(3<<5, []byte(m.GetNeeds()))
	n.head(0, uint64(m.GetFollow()))
}

func (n *notebook) head(major byte, v uint64) {
	switch {
	case v < 24:
		n.rows = append(n.rows, major|byte(v))
	case v < 1<<8:
		n.rows = append(n.rows, major|24, byte(v))
	case v < 1<<16:
		n.rows = binary.BigEndian.AppendUint16(append(n.rows, major|25), uint16(v))
	default:
		n.rows = binary.BigEndian.AppendUint32(append(n.rows, major|26), uint32(v))
	}
}

func (n *notebook) text(major byte, b []byte) {
	n.head(major, uint64(len(b)))
	n.rows = append(n.rows, b...)
}

// packed is how many bytes the rows have with zstd at its default level.
func (n *notebook) packed() int {
	e, err := zstd.NewWriter(nil)
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = e.Close() }() // it has written nothing
	return len(e.EncodeAll(n.rows, nil))
}

// request is the sync that sends some changes, as a tablet does that has pulled before.
func (n *notebook) request(changes ...[]byte) *syncv1.SyncRequest {
	mark := func(position uint64) *syncv1.Mark { return &syncv1.Mark{Position: position, Chain: n.bytes(16)} }
	return &syncv1.SyncRequest{Protocol: 1, Clock: n.at.UnixMilli(), Journal: mark(61), Pull: &syncv1.Pull{Cursor: mark(70_000), MaxBytes: 256 << 10},
		Push: batch.Seal(n.key, n.deployment, n.replica, n.nonce, 801, batch.Hash(n.bytes(32)), changes)}
}

// server answers each sync with the same page, and sees the requests.
type server struct {
	syncv1connect.UnimplementedSyncServiceHandler
	answer *syncv1.SyncResponse
	asked  *syncv1.SyncRequest
}

func (s *server) Sync(_ context.Context, req *connect.Request[syncv1.SyncRequest]) (*connect.Response[syncv1.SyncResponse], error) {
	s.asked = req.Msg
	answer := proto.CloneOf(s.answer)
	if req.Msg.GetPull().GetCompact() {
		wire.CompactAnswer(answer)
	}
	return connect.NewResponse(answer), nil
}

// bodies are the sizes of what went over a line.
type bodies struct {
	handler  http.Handler
	up, down int
	requests int
}

func (b *bodies) Do(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, req)
	b.up, b.down = len(body), w.Body.Len()
	b.requests++
	return w.Result(), nil
}

// line is a server, a client of it, and what goes between them.
func (n *notebook) line(options ...connect.HandlerOption) (*server, *bodies, syncv1connect.SyncServiceClient) {
	mark := &syncv1.Mark{Position: 70_000 + inBatch, Chain: n.bytes(16)}
	s := &server{answer: &syncv1.SyncResponse{Time: n.at.UnixMilli(), Protocol: 1, Acknowledgement: &syncv1.Acknowledgement{Have: 1200, HaveChain: n.bytes(16), Durable: 1200},
		Page: &syncv1.Page{Records: n.records, Cursor: mark, Head: mark}}}
	_, handler := syncv1connect.NewSyncServiceHandler(s, options...)
	b := &bodies{handler: handler}
	return s, b, wire.NewClient(b, "http://levee.test")
}

func TestARecordOnTheWireIsHardlyLargerThanAPackedRow(t *testing.T) {
	for seed := range uint64(5) {
		n := newNotebook(t, seed)
		for range inBatch {
			n.visit(n.scrawl())
		}
		_, b, client := n.line(wire.HandlerOptions()...)
		got, err := client.Sync(t.Context(), connect.NewRequest(n.request(n.changes...)))
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range got.Msg.GetPage().GetRecords() {
			if !proto.Equal(r, n.records[i]) {
				t.Fatalf("seed %d: record %d comes as %v, not as %v", seed, i, r, n.records[i])
			}
		}
		row, up, down := float64(n.packed())/inBatch, float64(b.up)/inBatch, float64(b.down)/inBatch
		t.Logf("seed %d: a row has %.1f bytes, a record %.1f up and %.1f down", seed, row, up, down)
		if up > mostToPacked*row || down > mostToPacked*row {
			t.Errorf("seed %d: that is more than %v of the row", seed, mostToPacked)
		}
	}
}

func TestTheBodyOfABatchOfOneIsSmall(t *testing.T) {
	largest := 0
	for seed := range uint64(50) {
		n := newNotebook(t, seed)
		n.visit(n.note())
		_, b, client := n.line(wire.HandlerOptions()...)
		if _, err := client.Sync(t.Context(), connect.NewRequest(n.request(n.changes...))); err != nil {
			t.Fatal(err)
		}
		if b.up > mostForOne {
			t.Errorf("seed %d: %d bytes, more than %d", seed, b.up, mostForOne)
		}
		largest = max(largest, b.up)
	}
	t.Logf("the largest has %d bytes", largest)
}

// BenchmarkCodings compresses and reads again what goes up in a batch of one and in one of 400, with and without the
// dictionary.
func BenchmarkCodings(b *testing.B) {
	n := newNotebook(b, 1)
	for range inBatch {
		n.visit(n.scrawl())
	}
	for _, coding := range []struct {
		name         string
		compressor   func() connect.Compressor
		decompressor func() connect.Decompressor
	}{{wire.Levee1, wire.NewLevee1Compressor, wire.NewLevee1Decompressor}, {wire.Zstd, wire.NewCompressor, wire.NewDecompressor}} {
		for _, size := range []int{1, inBatch} {
			plain, err := proto.Marshal(n.request(n.changes[:size]...))
			if err != nil {
				b.Fatal(err)
			}
			c, d := coding.compressor(), coding.decompressor()
			sent := coded(b, c, plain, len(plain))
			b.Run(fmt.Sprintf("%s/compress/%d", coding.name, size), func(b *testing.B) {
				for b.Loop() {
					coded(b, c, plain, len(plain))
				}
			})
			b.Run(fmt.Sprintf("%s/read/%d", coding.name, size), func(b *testing.B) {
				for b.Loop() {
					if _, err := decompress(d, sent); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
