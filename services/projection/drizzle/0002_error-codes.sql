ALTER TABLE "toolstream"."tools" ADD COLUMN "error_code" text;--> statement-breakpoint
-- Rows that are there already, as far as a window of stats reaches. Postgres cannot look into a state that holds \u0000
-- or half a surrogate pair: such a call keeps no code until the tables are made anew.
DO $$
DECLARE
  failed record;
BEGIN
  FOR failed IN
    SELECT run_id, index, state FROM "toolstream"."tools"
    WHERE status = 'failed' AND ended_at > now() - interval '31 days'
  LOOP
    BEGIN
      UPDATE "toolstream"."tools" SET error_code = failed.state -> 'error' ->> 'code'
      WHERE run_id = failed.run_id AND index = failed.index;
    EXCEPTION WHEN data_exception THEN
      NULL;
    END;
  END LOOP;
END $$;
