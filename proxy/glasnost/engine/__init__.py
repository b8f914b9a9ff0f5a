"""One process that serves one GGUF through llama.cpp: scheduler, model, worker thread and a small OpenAI API."""
