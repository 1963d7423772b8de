PRAGMA application_id = 1919907188;

PRAGMA user_version = 2;

CREATE TABLE definitions (
        definition_id TEXT PRIMARY KEY,
        checksum INTEGER NOT NULL,
        document BLOB NOT NULL
    ) WITHOUT ROWID;

CREATE TABLE jobs (
        id INTEGER PRIMARY KEY,
        job_id TEXT NOT NULL UNIQUE,
        flow_id TEXT NOT NULL,
        definition TEXT NOT NULL,
        status TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        owner TEXT
    );

CREATE TABLE journal (
        job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        written_at REAL NOT NULL,
        status TEXT,
        releases INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (job, number)
    );

CREATE TABLE snapshots (
        job INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        first_segment INTEGER NOT NULL,
        next_segment INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        content BLOB NOT NULL
    );

CREATE TABLE segments (
        job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (job, number)
    );

CREATE TABLE requests (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        checksum INTEGER NOT NULL,
        content BLOB NOT NULL
    );

CREATE TABLE owners (owner TEXT PRIMARY KEY, beaten_at REAL NOT NULL) WITHOUT ROWID;

CREATE TABLE answers (
        job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        key TEXT NOT NULL,
        checksum INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (job, key)
    );

INSERT INTO definitions VALUES ('sha256:3ccfe2ba2eca5ccd2fa1503a8c9a32c647e2465b199241ddfbbaee41f2ceed09', 904499191, CAST('{"flow":{"_type":"Flow","format":1,"flow_id":"golden-shop","execution_strategy":"sequential","max_workers":4,"execution_timeout":null,"error_handler":null,"routines":{"desk":{"_type":"GoldenDesk","_config":{},"_error_handler":null,"_slots":{"trigger":{"handler":"self.open","merge_strategy":"override","when":null,"timeout":null,"_data":{}}},"_events":{"order":{"output_params":["number","amount"]}}},"bank":{"_type":"GoldenBank","_config":{},"_error_handler":{"_type":"ErrorHandler","strategy":"retry","max_retries":3,"retry_delay":8.0,"retry_backoff":2.0,"retryable_exceptions":["builtins.ConnectionError"],"is_critical":false,"retry_count":0},"_slots":{"order":{"handler":"self.charge","merge_strategy":"override","when":null,"timeout":null,"_data":{}}},"_events":{"asked":{"output_params":["number"]},"charged":{"output_params":["number","amount"]}}},"shelf":{"_type":"GoldenShelf","_config":{},"_error_handler":null,"_slots":{"charged":{"handler":"self.pack","merge_strategy":"append","when":"self.is_even","timeout":null,"_data":{}}},"_events":{"packed":{"output_params":["numbers","total"]}}},"scale":{"_type":"GoldenScale","_config":{},"_error_handler":null,"_slots":{"charged":{"handler":"self.weigh","merge_strategy":"tests.golden.cast:added","when":null,"timeout":30.0,"_data":{}}},"_events":{}},"advert":{"_type":"GoldenAdvert","_config":{},"_error_handler":{"_type":"ErrorHandler","strategy":"continue","max_retries":3,"retry_delay":1.0,"retry_backoff":2.0,"retryable_exceptions":["builtins.Exception"],"is_critical":false,"retry_count":0},"_slots":{"charged":{"handler":"self.show","merge_strategy":"override","when":null,"timeout":null,"_data":{}}},"_events":{"shown":{"output_params":["number"]}}},"courier":{"_type":"GoldenCourier","_config":{},"_error_handler":{"_type":"ErrorHandler","strategy":"skip","max_retries":3,"retry_delay":1.0,"retry_backoff":2.0,"retryable_exceptions":["builtins.Exception"],"is_critical":false,"retry_count":0},"_slots":{"packed":{"handler":"self.bring","merge_strategy":"override","when":null,"timeout":null,"_data":{}},"signature":{"handler":"self.sign","merge_strategy":"override","when":null,"timeout":null,"_data":{}}},"_events":{"signed":{"output_params":["name"]}},"_effects":"at_most_once"},"router":{"_type":"GoldenRouter","_config":{},"_error_handler":null,"_slots":{"input":{"handler":"self.route","merge_strategy":"override","when":null,"timeout":null,"_data":{}},"trigger":{"handler":"self.route","merge_strategy":"override","when":null,"timeout":null,"_data":{}}},"_events":{"free":{"output_params":[]},"large":{"output_params":[]},"first":{"output_params":[]},"any":{"output_params":[]},"other":{"output_params":[]}},"routes":[["free",{"$callable":"self.is_free"}],["large",{"$callable":"tests.golden.cast:is_large"}],["first",{"numbers":[0,1]}],["any",{"$callable":"builtins:len"}]],"default_route":"other"},"mail":{"_type":"GoldenMail","_config":{},"_error_handler":null,"_slots":{"letter":{"handler":"self.write","merge_strategy":"override","when":null,"timeout":null,"_data":{}}},"_events":{},"_effects":"recorded"}},"connections":[{"source_routine_id":"desk","source_event":"order","target_routine_id":"bank","target_slot":"order","param_mapping":null,"priority":0},{"source_routine_id":"bank","source_event":"charged","target_routine_id":"shelf","target_slot":"charged","param_mapping":{"amount":"price"},"priority":0},{"source_routine_id":"bank","source_event":"charged","target_routine_id":"scale","target_slot":"charged","param_mapping":{"amount":"price"},"priority":0},{"source_routine_id":"bank","source_event":"charged","target_routine_id":"advert","target_slot":"charged","param_mapping":null,"priority":-1},{"source_routine_id":"shelf","source_event":"packed","target_routine_id":"courier","target_slot":"packed","param_mapping":null,"priority":0},{"source_routine_id":"shelf","source_event":"packed","target_routine_id":"router","target_slot":"input","param_mapping":null,"priority":0},{"source_routine_id":"router","source_event":"large","target_routine_id":"mail","target_slot":"letter","param_mapping":null,"priority":0}]},"graph":{"flow_id":"golden-shop","concurrent":false,"routines":[{"routine_id":"desk","class_name":"GoldenDesk","routes":{"order":[{"source":["desk","order"],"target":["bank","order"],"mapping":null,"priority":0}]},"conditions":[],"effects":"repeatable"},{"routine_id":"bank","class_name":"GoldenBank","routes":{"asked":[],"charged":[{"source":["bank","charged"],"target":["shelf","charged"],"mapping":{"amount":"price"},"priority":0},{"source":["bank","charged"],"target":["scale","charged"],"mapping":{"amount":"price"},"priority":0},{"source":["bank","charged"],"target":["advert","charged"],"mapping":null,"priority":-1}]},"conditions":[],"effects":"repeatable"},{"routine_id":"shelf","class_name":"GoldenShelf","routes":{"packed":[{"source":["shelf","packed"],"target":["courier","packed"],"mapping":null,"priority":0},{"source":["shelf","packed"],"target":["router","input"],"mapping":null,"priority":0}]},"conditions":[],"effects":"repeatable"},{"routine_id":"scale","class_name":"GoldenScale","routes":{},"conditions":[],"effects":"repeatable"},{"routine_id":"advert","class_name":"GoldenAdvert","routes":{"shown":[]},"conditions":[],"effects":"repeatable"},{"routine_id":"courier","class_name":"GoldenCourier","routes":{"signed":[]},"conditions":[],"effects":"at_most_once"},{"routine_id":"router","class_name":"GoldenRouter","routes":{"free":[],"large":[{"source":["router","large"],"target":["mail","letter"],"mapping":null,"priority":0}],"first":[],"any":[],"other":[]},"conditions":[["free","self.is_free"],["large","tests.golden.cast:is_large"],["any","builtins:len"]],"effects":"repeatable"},{"routine_id":"mail","class_name":"GoldenMail","routes":{},"conditions":[],"effects":"recorded"}],"slots":[{"key":["desk","trigger"],"merge":"override","guarded":false,"has_handler":true,"references":["self.open","override",null],"sources":[],"parameters":["amounts","extra"],"required":["amounts"],"takes_rest":false},{"key":["bank","order"],"merge":"override","guarded":false,"has_handler":true,"references":["self.charge","override",null],"sources":[[["desk","order"],0]],"parameters":["amount","extra","number"],"required":["amount","number"],"takes_rest":false},{"key":["shelf","charged"],"merge":"append","guarded":true,"has_handler":true,"references":["self.pack","append","self.is_even"],"sources":[[["bank","charged"],0]],"parameters":["number","price"],"required":["number","price"],"takes_rest":false},{"key":["scale","charged"],"merge":"function","guarded":false,"has_handler":true,"references":["self.weigh","tests.golden.cast:added",null],"sources":[[["bank","charged"],0]],"parameters":["price"],"required":["price"],"takes_rest":true},{"key":["advert","charged"],"merge":"override","guarded":false,"has_handler":true,"references":["self.show","override",null],"sources":[[["bank","charged"],-1]],"parameters":["number"],"required":["number"],"takes_rest":true},{"key":["courier","packed"],"merge":"override","guarded":false,"has_handler":true,"references":["self.bring","override",null],"sources":[[["shelf","packed"],0]],"parameters":["numbers","total"],"required":["numbers","total"],"takes_rest":false},{"key":["courier","signature"],"merge":"override","guarded":false,"has_handler":true,"references":["self.sign","override",null],"sources":[],"parameters":["name"],"required":["name"],"takes_rest":false},{"key":["router","input"],"merge":"override","guarded":false,"has_handler":true,"references":["self.route","override",null],"sources":[[["shelf","packed"],0]],"parameters":[],"required":[],"takes_rest":true},{"key":["router","trigger"],"merge":"override","guarded":false,"has_handler":true,"references":["self.route","override",null],"sources":[],"parameters":[],"required":[],"takes_rest":true},{"key":["mail","letter"],"merge":"override","guarded":false,"has_handler":true,"references":["self.write","override",null],"sources":[[["router","large"],0]],"parameters":["total"],"required":["total"],"takes_rest":true}],"fingerprint":"sha256:3fe224e02074153c09f4877deeb59a258904f5287523e2d219fc121ded29e770"}}' AS BLOB));

INSERT INTO jobs VALUES (1, 'delayed', 'golden-shop', 'sha256:3ccfe2ba2eca5ccd2fa1503a8c9a32c647e2465b199241ddfbbaee41f2ceed09', 'running', 0, 1700000000.0, 1700000002.0, '{"host": "elsewhere", "key": "delayed-1", "machine": "another", "pid": 4242, "started": "1"}');

INSERT INTO snapshots VALUES (1, 2, 1, 2, 3952863165, CAST('{"format":1,"document":{"_type":"JobState","format":1,"flow_id":"golden-shop","flow_fingerprint":"sha256:3fe224e02074153c09f4877deeb59a258904f5287523e2d219fc121ded29e770","job_id":"delayed","epoch":0,"status":"running","routine_states":{"bank":{"status":"pending","outcome":null,"error":{"type":"ConnectionError","message":"the bank is busy","routine_id":"bank","task_id":"delayed:2","traceback":"ConnectionError: the bank is busy\n"},"state":{"asked":0}},"desk":{"status":"completed","outcome":"completed","error":null,"state":{}}},"execution_history":[],"pending_tasks":[{"task_id":"delayed:3","routine_id":"bank","slot":"order","data":{"number":1,"amount":10},"connection":{"source_routine_id":"desk","source_event":"order"},"priority":0,"metadata":null,"retry_count":0,"flushes":0,"merged":null,"seen":null,"since":"2023-11-14T22:13:20Z","due":null,"deadline":null,"patience":null,"lost_attempts":0,"ambiguous":false},{"task_id":"delayed:4","routine_id":"bank","slot":"order","data":{"number":2,"amount":20},"connection":{"source_routine_id":"desk","source_event":"order"},"priority":0,"metadata":null,"retry_count":0,"flushes":0,"merged":null,"seen":null,"since":"2023-11-14T22:13:20Z","due":null,"deadline":null,"patience":null,"lost_attempts":0,"ambiguous":false},{"task_id":"delayed:2","routine_id":"bank","slot":"order","data":{"number":0,"amount":101},"connection":{"source_routine_id":"desk","source_event":"order"},"priority":0,"metadata":null,"retry_count":1,"flushes":1,"merged":{"number":0,"amount":101},"seen":null,"since":"2023-11-14T22:13:21Z","due":"2023-11-14T22:13:29Z","deadline":null,"patience":null,"lost_attempts":0,"ambiguous":false}],"failed_tasks":[],"slot_data":{"bank":{"order":{"number":0,"amount":101}},"desk":{"trigger":{"amounts":[101,10,20]}}},"shared_data":{},"shared_log":[],"pause_points":[],"error":null,"cancel_reason":null,"next_task":5,"timeout":null,"durability":"group","elapsed":2.0,"history_limit":null,"history_dropped":0,"created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:13:21Z"},"active":[],"at":1700000002.0,"records":7,"hold_until":null,"pause":null,"due":{"2":1700000009.0}}' AS BLOB));

INSERT INTO segments VALUES (1, 1, 363544648, CAST('{"first":0,"plain":true,"routine_ids":["desk","desk","desk","desk","bank","bank","bank"],"event_names":["start","order","order","order","start","asked","error"],"contents":[{"slot":"trigger"},{"number":0,"amount":101},{"number":1,"amount":10},{"number":2,"amount":20},{"slot":"order"},{"number":0},{"type":"ConnectionError","message":"the bank is busy","attempt":1}],"times":[1700000000.0,1700000000.0,1700000000.0,1700000000.0,1700000001.0,1700000001.0,1700000001.0]}' AS BLOB));

INSERT INTO owners VALUES ('{"host": "elsewhere", "key": "delayed-1", "machine": "another", "pid": 4242, "started": "1"}', 1700000000.0);

CREATE INDEX jobs_by_owner ON jobs (owner) WHERE owner IS NOT NULL;

CREATE TRIGGER job_changes AFTER INSERT ON journal WHEN new.status IS NOT NULL OR new.releases BEGIN
        UPDATE jobs SET status = coalesce(new.status, status), owner = iif(new.releases, NULL, owner)
        WHERE id = new.job;
    END;

CREATE VIEW new_jobs AS SELECT
        NULL AS job_id, NULL AS flow_id, NULL AS definition, NULL AS definition_checksum, NULL AS document,
        NULL AS epoch, NULL AS created_at, NULL AS owner, NULL AS snapshot_checksum, NULL AS snapshot,
        NULL AS segment_checksum, NULL AS segment,
        NULL AS number, NULL AS written_at, NULL AS status, NULL AS releases, NULL AS checksum, NULL AS content;

CREATE TRIGGER job_is_new INSTEAD OF INSERT ON new_jobs BEGIN
        INSERT INTO jobs (job_id, flow_id, definition, status, epoch, created_at, updated_at, owner) VALUES
            (new.job_id, new.flow_id, new.definition, 'pending', new.epoch, new.created_at, new.written_at, new.owner);
        INSERT INTO definitions VALUES (new.definition, new.definition_checksum, new.document) ON CONFLICT DO NOTHING;
        INSERT INTO snapshots
            SELECT id, new.number - 1, 1, iif(new.segment IS NULL, 1, 2), new.snapshot_checksum, new.snapshot
            FROM jobs WHERE job_id = new.job_id;
        INSERT INTO segments SELECT id, 1, new.segment_checksum, new.segment
            FROM jobs WHERE job_id = new.job_id AND new.segment IS NOT NULL;
        INSERT INTO journal
            SELECT id, new.number, new.written_at, new.status, new.releases, new.checksum, new.content
            FROM jobs WHERE job_id = new.job_id;
    END;

CREATE INDEX requests_by_job ON requests (job);

