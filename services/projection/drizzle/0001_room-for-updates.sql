-- Live rows are rewritten many times: with room on their page an update touches no index.
ALTER TABLE "toolstream"."runs" SET (fillfactor = 70);--> statement-breakpoint
ALTER TABLE "toolstream"."tools" SET (fillfactor = 70);--> statement-breakpoint
ALTER TABLE "toolstream"."positions" SET (fillfactor = 10);
