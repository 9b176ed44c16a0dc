"""The whole story on one machine, with real parts: real commands, a real server process, real HTTP."""
