"""Opening a round. Every project, device, interview and answer here is synthetic."""
