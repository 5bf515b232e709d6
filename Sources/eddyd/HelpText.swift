/// What `--help` says before it lists the flags. Its lines fit in 80 columns.
enum HelpText {
  static let discussion = """
    Try it, with the built-in tasks 'sleep' (the body says how many seconds) and
    'sha256' (of the body):

      eddyd --port 8888
      curl -i -X POST localhost:8888/tasks/sleep -d 10
                                     202, and 'Location: /jobs/ID'
      curl -i 'localhost:8888/jobs/ID?wait=30'
                                     held until the job ends; cut off, it loses
                                     nothing: ask again, from any connection
      curl -i 'localhost:8888/jobs/ID/result?wait=30'
                                     the result itself

    Declare programs of your own as tasks, in a configuration file:

      {"tasks": {"sort": {"command": ["sort", "-n"], "timeLimit": 10}}}

      eddyd --config tasks.json
      curl -H 'Prefer: wait=10' --data-binary @FILE localhost:8888/tasks/sort
                                     the result, if it takes no longer than 10 s

    Endpoints:

      POST   /tasks/NAME             submit the body: 202 and Location, or the
                                     result with 'Prefer: wait=N';
                                     'Idempotency-Key: KEY' makes it safe to repeat
      GET    /jobs/ID?wait=N         the state as JSON, as soon as it is final, or
                                     after N seconds (30 if not given, 180 at most)
      GET    /jobs/ID/result?wait=N  the result; 202 while there is none
      DELETE /jobs/ID                cancel the job
      DELETE /jobs/ID/result         acknowledge the result, which then goes

    SIGTERM and SIGINT stop it gracefully, a second one at once; SIGHUP does so
    gracefully too, unless it is ignored (nohup). Exit status: 0 when stopped, 64
    for a wrong flag, 69 if it can't listen, 78 for a wrong configuration, 1 for
    anything else.
    """
}
