"""Amazon SQS: queues, messages, visibility, FIFO order, dead letters. Everything is durable."""
