import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The official Java client shows what a broker does, a behaviour at a time.
 *
 *     java -cp CLASSES:JARS Driver '{"serviceUrl": …, "adminUrl": …, "scenarios": […]}'
 *
 * Prints one JSON line a scenario: {"scenario", "status": "ok" | "failed" | "unsupported", "detail", "notes", "ms"}.
 */
public class Driver {
    static final List<Class<?>> PARTS = List.of(Messages.class, Producers.class, Topics.class, Subscriptions.class,
        Receiving.class, Schemas.class, Security.class, Administration.class);
    static final Gson GSON = new Gson();

    public static void main(String[] args) throws Exception {
        var config = JsonParser.parseString(args[0]).getAsJsonObject();
        var scenarios = scenarios();
        if (config.has("list")) {
            System.out.println(GSON.toJson(scenarios.keySet()));
            return;
        }
        var workers = Executors.newFixedThreadPool(config.get("workers").getAsInt());
        var running = new ArrayList<Future<?>>();
        for (var one : config.get("scenarios").getAsJsonArray()) {
            var name = one.getAsString();
            running.add(workers.submit(() -> run(config, name, scenarios.get(name))));
        }
        for (var one : running) one.get();
        System.out.flush();
        // A client that hangs must not keep the process.
        Runtime.getRuntime().halt(0);
    }

    /** Methods that take a context alone, by their names. */
    static Map<String, Method> scenarios() {
        var all = new TreeMap<String, Method>();
        for (var part : PARTS) {
            for (var method : part.getDeclaredMethods()) {
                var takesContext = Arrays.equals(method.getParameterTypes(), new Class<?>[] {Context.class});
                if (takesContext && !Modifier.isPrivate(method.getModifiers())) all.put(method.getName(), method);
            }
        }
        return all;
    }

    static void run(JsonObject config, String name, Method scenario) {
        var started = System.nanoTime();
        if (scenario == null) {
            report(name, "failed", "the driver has no such scenario", Map.of(), started);
            return;
        }
        var context = new Context(config, name);
        var alone = Executors.newSingleThreadExecutor();
        var action = alone.submit(() -> {
            try {
                return scenario.invoke(null, context);
            } catch (InvocationTargetException failure) {
                throw failure.getCause() instanceof Exception cause ? cause : new Exception(failure.getCause());
            }
        });
        try {
            action.get(config.get("timeoutMs").getAsLong(), TimeUnit.MILLISECONDS);
            report(name, "ok", "", context.notes, started);
        } catch (TimeoutException late) {
            report(name, "failed", "not done in time", context.notes, started);
        } catch (ExecutionException failure) {
            report(name, "failed", words(failure.getCause()), context.notes, started);
        } catch (InterruptedException stopped) {
            report(name, "failed", "interrupted", context.notes, started);
        }
        alone.shutdownNow();
        context.end();
    }

    static String words(Throwable failure) {
        var cause = failure.getClass() == Exception.class && failure.getCause() != null ? failure.getCause() : failure;
        var places = new ArrayList<String>();
        for (var frame : cause.getStackTrace()) {
            var isOurs = PARTS.stream().anyMatch(part -> part.getName().equals(frame.getClassName()));
            if (isOurs && places.size() < 3) places.add(frame.getFileName() + ":" + frame.getLineNumber());
        }
        return cause + " " + places;
    }

    static synchronized void report(String name, String status, String detail, Map<String, Object> notes, long started) {
        var line = new JsonObject();
        line.addProperty("scenario", name);
        line.addProperty("status", status);
        line.addProperty("detail", detail);
        line.add("notes", GSON.toJsonTree(notes));
        line.addProperty("ms", (System.nanoTime() - started) / 1_000_000);
        System.out.println(line);
    }
}
