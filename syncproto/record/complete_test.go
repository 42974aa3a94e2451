package record

import (
	"bytes"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	recordv1 "levee/syncproto/levee/record/v1"
)

// henan is a deployment as tests know it, on its 40th day.
func henan() Deployment {
	in := time.FixedZone("UTC+8", 8*60*60)
	return Deployment{
		Start: 20210923, End: 20211206, Location: in,
		Places:       []string{"410621108", "410621105", "410781106"},
		ServiceAreas: []recordv1.ServiceArea{16},
		AgeBands:     6,
		Now:          time.Date(2021, 11, 1, 20, 0, 0, 0, in),
	}
}

func testID(n byte) []byte { return append(bytes.Repeat([]byte{n}, 15), 1) }

// setCommon fills the fields that all kinds have.
func setCommon(m Common) Common {
	r := m.ProtoReflect()
	filled := &recordv1.Case{
		Site: testID(1), Team: testID(2), Author: testID(3), OccurredOn: proto.Int32(20211031),
		Place:  &recordv1.Place{Code: proto.String("410621108203"), Edition: proto.Int32(2023), Village: proto.String("三组")},
		Status: recordv1.Status_STATUS_HELD.Enum(), ServiceArea: recordv1.ServiceArea_SERVICE_AREA_PSYCHOLOGICAL_SUPPORT.Enum(),
		CoWorkers: [][]byte{testID(4), testID(5)}, Entry: recordv1.Entry_ENTRY_LIVE.Enum(), DuplicateOf: testID(6),
		Deleted: proto.Bool(false),
	}
	from := filled.ProtoReflect()
	for i := range from.Descriptor().Fields().Len() {
		if f := from.Descriptor().Fields().Get(i); f.Number() < 16 {
			r.Set(r.Descriptor().Fields().ByNumber(f.Number()), from.Get(f))
		}
	}
	return m
}

func completeRecord(k Kind) Common {
	for _, m := range completeRecords() {
		if KindOf(m) == k {
			return m
		}
	}
	return nil
}

// completeRecords are a record of each kind, with every field filled as a worker might.
func completeRecords() []Common {
	records := []Common{
		&recordv1.Deployment{
			Name: proto.String("河南水灾社工服务"), StartOn: proto.Int32(20210923), EndOn: proto.Int32(20211206),
			TimeZone: proto.String("Asia/Shanghai"),
			ServiceAreas: []*recordv1.ServiceAreaName{
				{Number: recordv1.ServiceArea_SERVICE_AREA_OTHER.Enum(), LabelZh: proto.String("其他"), LabelEn: proto.String("other")},
				{Number: recordv1.ServiceArea(16).Enum(), LabelZh: proto.String("环境整治"), LabelEn: proto.String("clean-up")},
			},
			AgeBands:          []uint32{5, 17, 59},
			Labels:            []*recordv1.Label{{Key: proto.String("community_activity"), LabelZh: proto.String("社区活动"), LabelEn: proto.String("community activity")}},
			DutyList:          [][]byte{testID(7), testID(8)},
			EmergencyNumbers:  []*recordv1.EmergencyNumber{{LabelZh: proto.String("急救"), LabelEn: proto.String("ambulance"), Number: proto.String("120")}},
			EscalationMinutes: proto.Uint32(15),
			State:             recordv1.DeploymentState_DEPLOYMENT_STATE_ACTIVE.Enum(),
			LinkageKey:        bytes.Repeat([]byte{9}, LinkageKeyBytes),
			Targets: []*recordv1.Target{{Figure: proto.String("case_sessions"), Period: recordv1.TargetPeriod_TARGET_PERIOD_WEEK.Enum(),
				Of: recordv1.TargetOf_TARGET_OF_WORKER.Enum(), Team: testID(9), Value: proto.Uint32(4), PlaceCode: proto.String("410621"), DueOn: proto.Int32(20211130)}},
			EraseOn:  proto.Int32(20220606),
			Foreword: proto.String("感谢各位队员"),
			LeftOut:  []string{"supervision"},
		},
		&recordv1.Site{Name: proto.String("王庄镇服务点"), Planned: proto.Bool(false), LatitudeE6: proto.Int32(35_700_000), LongitudeE6: proto.Int32(114_500_000)},
		&recordv1.Team{Name: proto.String("一队")},
		&recordv1.Worker{
			Name: proto.String("王芳"), Type: recordv1.WorkerType_WORKER_TYPE_VOLUNTEER.Enum(), Role: recordv1.Role_ROLE_FIELD_WORKER.Enum(),
			FromOn: proto.Int32(20210923), ToOn: proto.Int32(20211206), Qualification: recordv1.Qualification_QUALIFICATION_NONE.Enum(),
			Phone: proto.String("0392-0000000"), Supervises: [][]byte{testID(7), testID(8)}, External: proto.Bool(true),
			Email: proto.String("wang.fang@example.org"),
		},
		&recordv1.Case{
			CaseNo: proto.String("W-03"), OpenedOn: proto.Int32(20211001), Source: recordv1.CaseSource_CASE_SOURCE_OUTREACH.Enum(),
			ClientType: recordv1.ClientType_CLIENT_TYPE_FAMILY.Enum(), ClientCount: proto.Uint32(3), ClientTokens: [][]byte{testID(9), testID(10)},
			Sex: recordv1.Sex_SEX_FEMALE.Enum(), Age: proto.Uint32(71), AgeBand: proto.Uint32(5),
			Categories: []recordv1.CaseCategory{recordv1.CaseCategory_CASE_CATEGORY_LOW_INCOME, recordv1.CaseCategory_CASE_CATEGORY_HOME_LOST},
			Problems:   []recordv1.CaseProblem{recordv1.CaseProblem_CASE_PROBLEM_GRIEF},
			Stage:      recordv1.CaseStage_CASE_STAGE_INTERVENTION.Enum(), Risk: recordv1.RiskDegree_RISK_DEGREE_LOW.Enum(),
			Lead: testID(3), Workers: [][]byte{testID(4)}, NextDueOn: proto.Int32(20211108), ClosedOn: proto.Int32(20211101),
			Closure: recordv1.CaseClosure_CASE_CLOSURE_ACHIEVED.Enum(), FollowupDueOn: proto.Int32(20220201),
		},
		&recordv1.CaseIdentity{
			Case: testID(11), Name: proto.String("李某"), BirthDate: proto.Int32(19500412), Phone: proto.String("0392-0000001"),
			Address: proto.String("某村 1 号"), IdNumber: proto.String("000000195004120000"),
			Guardian:         &recordv1.Contact{Name: proto.String("李甲"), Relation: proto.String("子"), Phone: proto.String("0392-0000002")},
			EmergencyContact: &recordv1.Contact{Name: proto.String("李乙"), Relation: proto.String("女"), Phone: proto.String("0392-0000003")},
			Dialect:          proto.String("中原官话"),
		},
		&recordv1.Consent{
			Subject: testID(11), Scopes: []recordv1.ConsentScope{recordv1.ConsentScope_CONSENT_SCOPE_SERVICE, recordv1.ConsentScope_CONSENT_SCOPE_DATA},
			Giver: recordv1.ConsentGiver_CONSENT_GIVER_SELF.Enum(), ChildAssent: proto.Bool(false),
			Form: recordv1.ConsentForm_CONSENT_FORM_WRITTEN.Enum(), GivenOn: proto.Int32(20211001), WithdrawnOn: proto.Int32(20211020),
			Basis: recordv1.ConsentBasis_CONSENT_BASIS_CONSENT.Enum(),
		},
		&recordv1.CaseSession{
			Case: testID(11), Number: proto.Uint32(2), Stage: recordv1.CaseStage_CASE_STAGE_ASSESSMENT.Enum(),
			Mode: recordv1.SessionMode_SESSION_MODE_HOME_VISIT.Enum(), Minutes: proto.Uint32(50), Attendees: proto.Uint32(2),
			RiskSeen: recordv1.RiskSeen_RISK_SEEN_NO.Enum(), NextOn: proto.Int32(20211107),
		},
		&recordv1.CaseNote{
			Session: testID(12), Process: proto.String("过程\n第二段"), Assessment: proto.String("评估"), Response: proto.String("反应"),
			Plan: proto.String("跟进"), Reflection: proto.String("反思"),
		},
		&recordv1.Referral{
			Case: testID(11), ToOrganisation: proto.String("县医院"), Reason: proto.String("就医"), Urgency: recordv1.Urgency_URGENCY_ROUTINE.Enum(),
			Consent: testID(13), Progress: recordv1.ReferralProgress_REFERRAL_PROGRESS_SENT.Enum(),
		},
		&recordv1.ReferralNote{Referral: testID(14), Handover: proto.String("交接")},
		&recordv1.Group{
			Name: proto.String("长者支持小组"), Type: recordv1.GroupType_GROUP_TYPE_SUPPORT.Enum(), Boundary: recordv1.GroupBoundary_GROUP_BOUNDARY_CLOSED.Enum(),
			Target: proto.String("独居长者"), SessionsPlanned: proto.Uint32(6), Leader: testID(3), Stage: recordv1.GroupStage_GROUP_STAGE_FORMING.Enum(),
			Goals: proto.String("互助"), Evaluation: proto.String("良好"),
		},
		&recordv1.GroupSession{
			Group: testID(15), Number: proto.Uint32(1), Theme: proto.String("相识"), Minutes: proto.Uint32(90),
			Present: [][]byte{testID(16)}, Absent: [][]byte{testID(17)}, Evaluation: proto.String("良好"),
		},
		&recordv1.GroupNote{Session: testID(18), Process: proto.String("过程")},
		&recordv1.CommunityActivity{
			Name: proto.String("重阳节慰问"), Form: recordv1.ActivityForm_ACTIVITY_FORM_FESTIVAL.Enum(), Minutes: proto.Uint32(120),
			Audience: proto.String("村民"), Partners: []string{"村委会", "镇卫生院"}, RegisterUsed: proto.Bool(false),
			FeedbackAsked: proto.Uint32(30), FeedbackSatisfied: proto.Uint32(28), Summary: proto.String("小结"),
		},
		&recordv1.Outreach{
			Mode: recordv1.OutreachMode_OUTREACH_MODE_HOME.Enum(), Households: proto.Uint32(12), Needs: proto.String("被褥"),
			Follow: recordv1.OutreachFollow_OUTREACH_FOLLOW_RESOURCE.Enum(),
		},
		&recordv1.Headcount{
			Activity: testID(19), Counter: testID(3), Zone: proto.String("东侧"), Method: recordv1.CountMethod_COUNT_METHOD_COUNTED.Enum(),
			Cells: []*recordv1.HeadcountCell{
				{Sex: recordv1.Sex_SEX_UNKNOWN.Enum(), AgeBand: proto.Uint32(0), FirstTime: proto.Uint32(3), Returning: proto.Uint32(0), Unsure: proto.Uint32(2)},
				{Sex: recordv1.Sex_SEX_MALE.Enum(), AgeBand: proto.Uint32(6), FirstTime: proto.Uint32(20)},
				{Sex: recordv1.Sex_SEX_FEMALE.Enum(), AgeBand: proto.Uint32(2), FirstTime: proto.Uint32(31), Returning: proto.Uint32(4)},
			},
			FirstTime: proto.Uint32(54), Returning: proto.Uint32(4), Unsure: proto.Uint32(2),
			DisabilityAsked: proto.Uint32(10), DisabilityYes: proto.Uint32(1),
		},
		&recordv1.Participant{
			Token: testID(20), Basis: recordv1.TokenBasis_TOKEN_BASIS_PHONE.Enum(), Sex: recordv1.Sex_SEX_MALE.Enum(), AgeBand: proto.Uint32(4),
			Village: proto.String("某村"), Disability: recordv1.Disability_DISABILITY_NOT_ASKED.Enum(),
		},
		&recordv1.Attendance{
			Activity: testID(19), Participant: testID(21), Token: testID(20), Sex: recordv1.Sex_SEX_MALE.Enum(), AgeBand: proto.Uint32(4),
			Disability: recordv1.Disability_DISABILITY_NO.Enum(),
		},
		&recordv1.ResourceLink{
			Need: proto.String("冬衣"), Type: recordv1.ResourceType_RESOURCE_TYPE_GOODS.Enum(),
			Source:    &recordv1.ResourceSource{Organisation: proto.String("某基金会"), Kind: proto.String("基金会")},
			Recipient: recordv1.RecipientType_RECIPIENT_TYPE_CASE.Enum(), RecipientCase: testID(11), Households: proto.Uint32(1), Persons: proto.Uint32(3),
			Quantity: proto.Uint32(6), Unit: proto.String("件"), ValueYuan: proto.Uint32(600),
			Progress: recordv1.LinkProgress_LINK_PROGRESS_DELIVERED.Enum(), DeliveredOn: proto.Int32(20211030),
		},
		&recordv1.RiskAlert{
			Subject: testID(11), Type: recordv1.RiskType_RISK_TYPE_MEDICAL_EMERGENCY.Enum(), Level: recordv1.RiskLevel_RISK_LEVEL_RED.Enum(),
			SeenAt: proto.Int64(1635750000000), Done: proto.String("已拨打 120"), ReportedTo: proto.String("镇卫生院"),
			SupervisorTold: recordv1.SupervisorTold_SUPERVISOR_TOLD_PHONE.Enum(), AcknowledgedBy: testID(7),
			AcknowledgedAt: proto.Int64(1635750600000), ClosedOn: proto.Int32(20211101),
		},
		&recordv1.Supervision{
			Form: recordv1.SupervisionForm_SUPERVISION_FORM_GROUP.Enum(), Mode: recordv1.SupervisionMode_SUPERVISION_MODE_ONLINE.Enum(),
			Functions:  []recordv1.SupervisionFunction{recordv1.SupervisionFunction_SUPERVISION_FUNCTION_SUPPORTIVE},
			Supervisor: testID(7), Supervisees: [][]byte{testID(3), testID(4)}, Minutes: proto.Uint32(60), Tasks: proto.String("任务"),
		},
		&recordv1.SupervisionNote{Supervision: testID(22), Advice: proto.String("意见")},
		&recordv1.Review{
			Target: testID(12), Reviewed: []*recordv1.ReviewedField{
				{Field: proto.Uint32(4), Time: proto.Uint64(1 << 56), Replica: proto.Uint64(1 << 62)},
				{Field: proto.Uint32(20), Time: proto.Uint64(1<<56 + 1), Replica: proto.Uint64(5)},
			},
			Outcome: recordv1.ReviewOutcome_REVIEW_OUTCOME_RETURNED.Enum(), Reasons: []recordv1.ReviewReason{recordv1.ReviewReason_REVIEW_REASON_DATE},
			Comment: proto.String("请核对日期"),
		},
		&recordv1.Conflict{
			Target: testID(12), TargetKind: recordv1.Kind_KIND_CASE_SESSION.Enum(), Field: proto.Uint32(20),
			Sides: []*recordv1.ConflictSide{
				{Value: []byte{0xa0, 0x01, 0x32}, Time: proto.Uint64(1 << 56), Replica: proto.Uint64(1), Author: testID(3)},
				{Value: []byte{}, Time: proto.Uint64(1 << 56), Replica: proto.Uint64(2), Author: testID(4)},
			},
			Settled: proto.Bool(false),
		},
		&recordv1.HeldDecision{Change: testID(23), Decision: recordv1.Decision_DECISION_RELEASE.Enum(), Reason: proto.String("已核实")},
		&recordv1.Distinction{Record: testID(12), Other: testID(13), Reason: proto.String("上午、下午各一场")},
		&recordv1.Waiver{Check: recordv1.CloseOutCheck_CLOSE_OUT_CHECK_UNHEARD.Enum(), Subject: testID(24), Reason: proto.String("平板已摔坏"), Count: proto.Uint32(2)},
		&recordv1.Certificate{Edition: proto.Uint32(1), Document: []byte{0x28, 0xb5, 0x2f, 0xfd}, Part: proto.Uint32(1), Parts: proto.Uint32(2)},
	}
	for _, m := range records {
		setCommon(m)
	}
	return records
}

// The records above are what other tests start from, so they must leave nothing out.
func TestCompleteRecordsFillEveryField(t *testing.T) {
	records := completeRecords()
	if len(records) != len(Kinds()) {
		t.Errorf("%d records for %d kinds", len(records), len(Kinds()))
	}
	for _, m := range records {
		fields := m.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			if !m.ProtoReflect().Has(fields.Get(i)) {
				t.Errorf("%v is not filled", fields.Get(i).FullName())
			}
		}
	}
}
