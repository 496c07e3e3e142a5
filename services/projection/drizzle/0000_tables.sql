CREATE SCHEMA "toolstream";
--> statement-breakpoint
CREATE TABLE "toolstream"."positions" (
	"partition" smallint PRIMARY KEY NOT NULL,
	"epoch" text NOT NULL,
	"seq" bigint NOT NULL,
	"event_id" text,
	"event_at" timestamp (3) with time zone,
	"holder" text,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "toolstream"."runs" (
	"run_id" text PRIMARY KEY NOT NULL,
	"tenant" text NOT NULL,
	"app" text NOT NULL,
	"message_id" text,
	"partition" smallint NOT NULL,
	"epoch" text NOT NULL,
	"seq" bigint NOT NULL,
	"status" text NOT NULL,
	"accepted_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"tools_total" integer NOT NULL,
	"tools_ended" integer NOT NULL,
	"summary" jsonb,
	"state" json NOT NULL
);
--> statement-breakpoint
CREATE TABLE "toolstream"."tools" (
	"run_id" text NOT NULL,
	"index" smallint NOT NULL,
	"tenant" text NOT NULL,
	"app" text NOT NULL,
	"name" text NOT NULL,
	"status" text NOT NULL,
	"attempt" integer NOT NULL,
	"queued_at" timestamp (3) with time zone,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"duration_ms" double precision,
	"queue_ms" double precision,
	"state_bytes" integer NOT NULL,
	"state" json NOT NULL,
	CONSTRAINT "tools_run_id_index_pk" PRIMARY KEY("run_id","index")
);
--> statement-breakpoint
CREATE INDEX "runs_by_app" ON "toolstream"."runs" USING btree ("tenant","app","accepted_at" desc,"run_id" desc);--> statement-breakpoint
CREATE INDEX "runs_by_tenant" ON "toolstream"."runs" USING btree ("tenant","accepted_at" desc,"run_id" desc);--> statement-breakpoint
CREATE INDEX "runs_by_message" ON "toolstream"."runs" USING btree ("tenant","message_id") WHERE "toolstream"."runs"."message_id" is not null;--> statement-breakpoint
CREATE INDEX "runs_live" ON "toolstream"."runs" USING btree ("run_id") WHERE "toolstream"."runs"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "runs_live_by_app" ON "toolstream"."runs" USING btree ("tenant","app","accepted_at" desc,"run_id" desc) WHERE "toolstream"."runs"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "tools_ended" ON "toolstream"."tools" USING btree ("tenant","ended_at") WHERE "toolstream"."tools"."ended_at" is not null;--> statement-breakpoint
CREATE INDEX "tools_learned" ON "toolstream"."tools" USING btree ("name","ended_at" desc) WHERE "toolstream"."tools"."status" = 'succeeded' and "toolstream"."tools"."duration_ms" is not null;